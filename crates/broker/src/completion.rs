//! When a send may be answered, and with what.
//!
//! A record is owed to its producer once `promised` has reached its end: under SYNC_FLUSH the end
//! of what survives power loss, under ASYNC_FLUSH the end of what was appended. Both ways in, the
//! fast one and the ordinary one, decide with [`is_kept`].

use std::time::Duration;

use protocol::ResponseCode;
use runtime::Clock;
use runtime::sync::{Either, Watermark, race};

use crate::refusal::Refusal;

/// Whether the promise for a record that ends at `end` holds: the decision to acknowledge.
pub(crate) fn is_kept(end: u64, promised: &Watermark) -> bool {
    end <= promised.reached()
}

/// Waits until the promise for `end` holds, at most for `timeout`. SUCCESS or FLUSH_DISK_TIMEOUT:
/// the message is stored in both cases.
///
/// # Errors
/// The store failed for ever. Whether the message survives is unknown, so it is neither
/// acknowledged nor said to be rejected.
pub(crate) async fn wait(
    end: u64,
    promised: &Watermark,
    clock: &Clock,
    timeout: Duration,
) -> Result<ResponseCode, Refusal> {
    if is_kept(end, promised) {
        return Ok(ResponseCode::SUCCESS);
    }
    match race(promised.wait(end), clock.sleep(timeout)).await {
        Either::Left(Ok(())) => Ok(ResponseCode::SUCCESS),
        Either::Left(Err(closed)) => Err(broken(&closed.reason)),
        Either::Right(()) => {
            runtime::sometimes!("broker: an ordinary send was not flushed in time");
            Ok(ResponseCode::FLUSH_DISK_TIMEOUT)
        }
    }
}

/// The answer to a message that was appended before the store failed.
pub(crate) fn broken(reason: &str) -> Refusal {
    let remark = format!("the message was appended, but whether it survives is unknown: {reason}");
    Refusal::new(ResponseCode::SYSTEM_ERROR, remark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_kept_before_the_promise_has_reached_its_end() {
        let promised = Watermark::new(100);
        assert!(is_kept(100, &promised));
        assert!(!is_kept(101, &promised));
        promised.close("a sync failed");
        assert!(is_kept(100, &promised));
        assert!(!is_kept(101, &promised));
    }
}
