//! Notes for whoever listens to the trace: what clients did and saw, which faults the ledger has,
//! which properties were broken. Silent: without a listener nothing is even put into words.

use std::fmt;

use invariants::history::{Asked, Outcome, Placed, Pull, Seen, What};
use invariants::ledger::Fault;
use invariants::violation::Violation;
use sim::Control;

/// Passes each note of a client on, with its index in the history.
pub(crate) fn listener(control: &Control) -> impl Fn(&str, usize, &What) + Send + Sync + 'static {
    let control = control.clone();
    move |who, index, what| {
        // One more than the place in the log, if the note names just one; 0 is none.
        let address = address(what).map_or(0, |address| address + 1);
        let numbers = [index as u64, address];
        control.note(who, kind(what), numbers, format_args!("{}", Words(what)));
    }
}

/// Says which part of the run begins.
pub(crate) fn phase(control: &Control, name: &str) {
    control.note("world", "phase", [0, 0], format_args!("{name}"));
}

/// Passes a fault that went into the ledger on.
pub(crate) fn fault(control: &Control, node: &str, fault: &Fault) {
    let what = match fault {
        Fault::Started => "ledger-start",
        Fault::Stopped => "ledger-stop",
        _ => "ledger",
    };
    control.note(node, what, [0, 0], format_args!("{} {fault:?}", fault.code()));
}

/// Passes a broken property on, as JSON: its events are indices of the history.
pub(crate) fn violation(control: &Control, violation: &Violation) {
    let about = violation.node.as_deref().unwrap_or("world");
    let json = serde_json::to_string(violation).expect("a violation is plain data");
    control.note(about, "violation", [0, 0], format_args!("{json}"));
}

/// What a client did, in one line.
pub(crate) fn line(what: &What) -> String {
    format!("{} {}", kind(what), Words(what))
}

fn kind(what: &What) -> &'static str {
    match what {
        What::SendStarted { .. } => "sending",
        What::SendEnded { outcome: Outcome::Ok(_), .. } => "sent-ok",
        What::SendEnded { outcome: Outcome::Weak(_), .. } => "sent-weak",
        What::SendEnded { outcome: Outcome::Rejected { .. }, .. } => "sent-rejected",
        What::SendEnded { outcome: Outcome::Unknown, .. } => "sent-unknown",
        What::Subscribed { .. } => "subscribed",
        What::Unsubscribed { .. } => "unsubscribed",
        What::Rebalanced { .. } => "rebalanced",
        What::Rewound { .. } => "rewound",
        What::Reset { .. } => "offset-reset",
        What::Delivered { .. } => "delivered",
        What::Processed { .. } => "processed",
        What::Committed { .. } => "committed",
        What::Pulled(_) => "pulled",
        What::Asked(_) => "asked",
        What::ReadBack { .. } => "read-back",
        What::Queried(_) => "queried",
        What::Probed { .. } => "probed",
        What::Drained => "drained",
    }
}

fn address(what: &What) -> Option<u64> {
    match what {
        What::SendEnded { outcome, .. } => outcome.placed()?.address().map(|address| address.0),
        What::Delivered { seen, .. } => Some(seen.address.0),
        _ => None,
    }
}

/// What a client did, in words. Messages are named by their identity, which ends with `;`.
struct Words<'a>(&'a What);

impl fmt::Display for Words<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            What::SendStarted { id, topic, .. } => write!(to, "{id} to {topic}"),
            What::SendEnded { id, outcome } => match outcome {
                Outcome::Ok(placed) | Outcome::Weak(placed) => {
                    write!(to, "{id} in {}", Place(placed))
                }
                Outcome::Rejected { code } => write!(to, "{id} with code {code}"),
                Outcome::Unknown => write!(to, "{id}"),
            },
            What::Delivered { group, seen, .. } => write!(to, "{} to {group}", Shown(seen)),
            What::Processed { group, id, .. } => write!(to, "{id} by {group}"),
            What::Committed { group, queue, offset } => {
                write!(
                    to,
                    "{group}: {}/{}/{} at {}",
                    queue.broker_name, queue.topic, queue.queue_id, offset.0
                )
            }
            What::Pulled(Pull { queue, from, status, next, min, max, seen, .. }) => {
                let (broker, topic, id) = (&queue.broker_name, &queue.topic, queue.queue_id);
                write!(to, "{broker}/{topic}/{id} from {}: {status:?}, next {}, ", from.0, next.0)?;
                write!(to, "{}..{}", min.0, max.0)?;
                seen.iter().try_for_each(|seen| write!(to, " {}", Shown(seen)))
            }
            What::Asked(Asked { queue, question, answer, .. }) => {
                let (broker, topic, id) = (&queue.broker_name, &queue.topic, queue.queue_id);
                write!(to, "{broker}/{topic}/{id} {question:?}: {}", answer.0)
            }
            What::ReadBack { queue, seen } => {
                write!(to, "{}/{}/{}:", queue.broker_name, queue.topic, queue.queue_id)?;
                seen.iter().try_for_each(|seen| write!(to, " {}", Shown(seen)))
            }
            other => write!(to, "{other:?}"),
        }
    }
}

/// Where a message was stored, as the answer said.
struct Place<'a>(&'a Placed);

impl fmt::Display for Place<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (queue, offset) = (&self.0.queue, self.0.offset.0);
        write!(to, "{}/{}/{} at {offset}", queue.broker_name, queue.topic, queue.queue_id)?;
        match self.0.address() {
            Some(address) => write!(to, ", log {}", address.0),
            None => Ok(()),
        }
    }
}

/// A message that a client saw, with its place.
struct Shown<'a>(&'a Seen);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Seen { queue, offset, id, .. } = self.0;
        match id {
            Some(id) => write!(to, "{id}")?,
            None => write!(to, "a message of nobody")?,
        }
        write!(to, " of {}/{}/{} at {}", queue.broker_name, queue.topic, queue.queue_id, offset.0)
    }
}
