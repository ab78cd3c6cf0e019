//! Letting others run, amid work that has no waits of its own.

use std::future::poll_fn;
use std::task::Poll;

/// Returns after everybody who is ready now has had a turn. A task that works on and on without a
/// wait keeps its thread from all others; between two pieces it gives way.
pub async fn give_way() {
    let mut has_waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    #[test]
    fn it_is_pending_once() {
        let mut way = pin!(give_way());
        let mut context = Context::from_waker(Waker::noop());
        assert!(way.as_mut().poll(&mut context).is_pending());
        assert!(way.as_mut().poll(&mut context).is_ready());
    }
}
