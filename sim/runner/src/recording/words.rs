//! What the kinds of events are, and what they say in words.

use sim::{Aspect, TraceEvent};
use timeline::Class;

/// What sort of thing an event is. What nobody knows here is taken for a fault: it shall be seen.
pub(super) fn class(what: &str, is_note: bool) -> Class {
    match what {
        "violation" => Class::Violation,
        "ledger" | "log" => Class::Fault,
        "ledger-start" | "ledger-stop" => Class::Life,
        _ if is_note => Class::Client,
        "send" | "deliver" | "accept" | "connect" | "close" | "shutdown" => Class::Net,
        "node" | "kill" | "power-off" | "restart" | "pause" | "resume" | "listen" => Class::Life,
        "open" | "create" | "create-dir" | "list" | "lock" | "lock-holder" | "read" | "remove"
        | "remove-dir" | "rename" | "rewrite" | "sync-dir" | "walk" | "write" | "writeback"
        | "sync" | "synced" | "sync-all" => Class::Disk,
        _ => Class::Fault,
    }
}

/// What an event says.
pub(super) fn words(event: &TraceEvent<'_>) -> String {
    let ([first, second], detail) = (event.numbers, event.detail);
    if let Aspect::Note = event.aspect {
        return detail.to_string();
    }
    match event.what {
        "send" => format!("{second} bytes to {detail} on connection {first}"),
        "deliver" => format!("{second} bytes from {detail} on connection {first}"),
        "accept" => format!("connection {first} from {detail}"),
        "connect" if second == 0 => format!("to {detail} failed"),
        "connect" => format!("to {detail}"),
        "close" if second == 1 => format!("connection {first} with {detail}, by reset"),
        "close" | "shutdown" => format!("connection {first} with {detail}"),
        "reset" => format!("{first} connections with {detail}"),
        "listen" => format!("on port {first}"),
        "write" => format!("{second} bytes at {first} of {detail}"),
        "sync" => format!("{second} pages of {detail}"),
        "synced" if second == 1 => format!("FAILED {detail}"),
        "synced" => format!("{detail}"),
        "sync-all" => format!("{second} pages of {first} files"),
        "writeback" => format!("{first} pages, {second} left dirty"),
        "power-fail" => format!("{first} names undone, {second} % of unsynced pages lost"),
        "clock-jump" | "clock-drift" => {
            let sign = if second == 1 { '-' } else { '+' };
            format!("{sign}{first} {detail}")
        }
        "clog" => format!("{first} µs more to {detail}"),
        "refuse" => format!("{first} % to {detail}"),
        "cut" | "heal" | "node" | "kill" | "power-off" | "restart" | "pause" | "resume"
        | "wipe" => detail.to_string(),
        _ if class(event.what, false) == Class::Disk => {
            let failed = if first == 0 { " FAILED" } else { "" };
            format!("{detail}{failed}")
        }
        _ if (first, second) == (0, 0) => detail.to_string(),
        _ if second == 0 => format!("{first} {detail}"),
        _ => format!("{first} {second} {detail}"),
    }
}

/// Every message that a text names: `producer.operation.attempt;`, as identities are written.
pub(super) fn identities(text: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let part = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    for (end, _) in text.iter().enumerate().filter(|(_, byte)| **byte == b';') {
        let start = text[..end].iter().rposition(|byte| !part(byte)).map_or(0, |at| at + 1);
        if let Some(identity) = invariants::identity::Identity::parse(&text[start..=end]) {
            let name = identity.to_string();
            if !found.contains(&name) {
                found.push(name);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_found_in_words_and_in_the_properties_of_frames() {
        assert_eq!(identities(b"1.2.0; to Traffic-0"), ["1.2.0;"]);
        let properties = b"KEYS\x01a 1.2;\x02hotfire-id\x011001.20.3;\x02";
        assert_eq!(identities(properties), ["1001.20.3;"]);
        assert_eq!(identities(b"\x017.8.9;\x02 7.8.9; ;; 1..2;"), ["7.8.9;"]);
    }
}
