//! What a push consumer does after the answer to a pull (protocol.md §5.4).
//!
//! Pure.

use std::time::Duration;

use message::QueueOffset;
use protocol::ResponseCode;

/// What comes after a pull.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// The messages are to be consumed, the next pull begins at the answer's offset.
    Consume,
    /// Nothing for us up to the answer's offset; pull again after the pause.
    Advance(Duration),
    /// Our offset is not in the queue; go on at the answer's.
    Correct,
    /// The broker does not know our group or its newest subscription: tell it, then try again.
    Introduce,
    /// Try the same again, later.
    Pause,
}

/// The pause after an answer that brought nothing, moved nothing and was not held: brokers hold
/// such pulls, and one that does not must not make us spin.
const IDLE_PAUSE: Duration = Duration::from_millis(100);

/// Decides on the answer to a pull at `asked` that took `waited`.
pub fn to_answer(
    code: ResponseCode,
    asked: QueueOffset,
    next_begin: QueueOffset,
    waited: Duration,
) -> Reaction {
    match code {
        ResponseCode::SUCCESS => Reaction::Consume,
        ResponseCode::PULL_NOT_FOUND | ResponseCode::PULL_RETRY_IMMEDIATELY => {
            let idle = next_begin <= asked && waited < IDLE_PAUSE;
            Reaction::Advance(if idle { IDLE_PAUSE } else { Duration::ZERO })
        }
        ResponseCode::PULL_OFFSET_MOVED => Reaction::Correct,
        ResponseCode::SUBSCRIPTION_NOT_EXIST
        | ResponseCode::SUBSCRIPTION_NOT_LATEST
        | ResponseCode::SUBSCRIPTION_GROUP_NOT_EXIST => Reaction::Introduce,
        _ => Reaction::Pause,
    }
}

/// The pause before a message is tried again that has failed `failures` times: the first pause,
/// doubled with each further failure, up to the longest.
pub fn redelivery_pause(failures: u32, first: Duration, longest: Duration) -> Duration {
    let doublings = failures.saturating_sub(1).min(20);
    first.saturating_mul(1 << doublings).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(15);

    fn react(code: ResponseCode, next_begin: u64, waited: Duration) -> Reaction {
        to_answer(code, QueueOffset(10), QueueOffset(next_begin), waited)
    }

    #[test]
    fn an_answer_that_moves_or_was_held_is_followed_at_once() {
        let at_once = Reaction::Advance(Duration::ZERO);
        assert_eq!(react(ResponseCode::PULL_RETRY_IMMEDIATELY, 12, Duration::ZERO), at_once);
        assert_eq!(react(ResponseCode::PULL_NOT_FOUND, 10, LONG), at_once);
    }

    #[test]
    fn an_answer_that_neither_moves_nor_was_held_does_not_make_us_spin() {
        let pause = Reaction::Advance(IDLE_PAUSE);
        assert_eq!(react(ResponseCode::PULL_NOT_FOUND, 10, Duration::ZERO), pause);
        assert_eq!(react(ResponseCode::PULL_RETRY_IMMEDIATELY, 9, Duration::ZERO), pause);
    }

    #[test]
    fn only_a_moved_offset_is_corrected() {
        assert_eq!(react(ResponseCode::PULL_OFFSET_MOVED, 0, LONG), Reaction::Correct);
        assert_eq!(react(ResponseCode::SYSTEM_ERROR, 0, LONG), Reaction::Pause);
        assert_eq!(react(ResponseCode::SUBSCRIPTION_NOT_EXIST, 0, LONG), Reaction::Introduce);
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let (first, longest) = (Duration::from_secs(1), Duration::from_secs(30));
        let pauses: Vec<u64> =
            (1..8).map(|n| redelivery_pause(n, first, longest).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(redelivery_pause(u32::MAX, first, longest), longest);
    }
}
