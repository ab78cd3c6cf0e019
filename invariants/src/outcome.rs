//! The one table that says what an answer proves: nobody else judges a response code.

use serde::Serialize;

/// What the end of a request proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Class {
    /// The configured promise is met.
    Ok,
    /// Stored, but the promise is not met: owed only what an append in one process owes.
    Weak,
    /// Nothing was appended or changed.
    Rejected,
    /// Anything may have happened, or may still: once for each attempt, at any later moment.
    Unknown,
}

/// How a request ended at the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The answer with this response code came.
    Answered(i32),
    /// No byte of the request left: no connection, or a check of the client's own.
    NotSent,
    /// The deadline passed after the request left.
    TimedOut,
    /// The connection ended after the request left, the client was killed, or the answer could
    /// not be read.
    Lost,
}

/// What kinds of request there are, as far as answers mean different things.
enum Request {
    /// Appends a message: 10, 310, 320, 324, 325, and 36 (hand a message back).
    Append,
    /// Everything else, where code 0 says that it is done.
    Other,
}

/// The class of a request with `request_code` that ended so.
pub fn classify(request_code: i32, end: End) -> Class {
    let code = match end {
        End::NotSent => return Class::Rejected,
        End::TimedOut | End::Lost => return Class::Unknown,
        End::Answered(code) => code,
    };
    match request(request_code) {
        Request::Append => append(code),
        Request::Other => other(code),
    }
}

fn request(code: i32) -> Request {
    match code {
        10 | 36 | 310 | 320 | 324 | 325 => Request::Append,
        _ => Request::Other,
    }
}

fn append(response_code: i32) -> Class {
    match response_code {
        // SUCCESS
        0 => Class::Ok,
        // FLUSH_DISK_TIMEOUT, SLAVE_NOT_AVAILABLE, FLUSH_SLAVE_TIMEOUT
        10..=12 => Class::Weak,
        // SYSTEM_BUSY, REQUEST_CODE_NOT_SUPPORTED: never executed.
        2 | 3 => Class::Rejected,
        // MESSAGE_ILLEGAL, SERVICE_NOT_AVAILABLE, VERSION_NOT_SUPPORTED, NO_PERMISSION,
        // TOPIC_NOT_EXIST: each found before the append.
        13..=17 => Class::Rejected,
        // SUBSCRIPTION_GROUP_NOT_EXIST, FLOW_CONTROL
        26 | 215 => Class::Rejected,
        // SYSTEM_ERROR says nothing about when; neither do codes this table does not know.
        _ => Class::Unknown,
    }
}

fn other(response_code: i32) -> Class {
    match response_code {
        0 => Class::Ok,
        // SYSTEM_BUSY, REQUEST_CODE_NOT_SUPPORTED, VERSION_NOT_SUPPORTED, NO_PERMISSION,
        // TOPIC_NOT_EXIST, SUBSCRIPTION_GROUP_NOT_EXIST, FLOW_CONTROL
        2 | 3 | 15..=17 | 26 | 215 => Class::Rejected,
        _ => Class::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENDS: [i32; 6] = [10, 36, 310, 320, 324, 325];

    #[test]
    fn a_request_that_left_and_was_not_answered_is_unknown() {
        for request in SENDS.into_iter().chain([15, 17]) {
            assert_eq!(classify(request, End::TimedOut), Class::Unknown);
            assert_eq!(classify(request, End::Lost), Class::Unknown);
            assert_eq!(classify(request, End::NotSent), Class::Rejected);
        }
    }

    #[test]
    fn every_code_of_a_send_stands_in_its_class() {
        for request in SENDS {
            for code in -2_000..4_000 {
                let expected = match code {
                    0 => Class::Ok,
                    10..=12 => Class::Weak,
                    2 | 3 | 13..=17 | 26 | 215 => Class::Rejected,
                    _ => Class::Unknown,
                };
                assert_eq!(classify(request, End::Answered(code)), expected, "{request} {code}");
            }
        }
    }

    #[test]
    fn a_commit_is_never_weak() {
        assert_eq!(classify(15, End::Answered(0)), Class::Ok);
        assert_eq!(classify(15, End::Answered(10)), Class::Unknown);
        assert_eq!(classify(15, End::Answered(1)), Class::Unknown);
        assert_eq!(classify(15, End::Answered(2)), Class::Rejected);
    }
}
