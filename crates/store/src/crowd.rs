//! Many small pieces of work that wait for the disk, some of them at a time.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// How many wait at once.
const AT_ONCE_MAX: usize = 32;

/// Does all of the work, also what comes after a failure.
///
/// # Errors
/// The first failure.
pub(crate) async fn all_of<F, E>(work: impl IntoIterator<Item = F>) -> Result<(), E>
where
    F: Future<Output = Result<(), E>> + Send,
{
    let mut work = work.into_iter();
    let mut waiting: Vec<Pin<Box<F>>> = Vec::new();
    let mut result = Ok(());
    poll_fn(move |context| {
        loop {
            let before = waiting.len();
            let mut at = 0;
            while let Some(piece) = waiting.get_mut(at) {
                let Poll::Ready(ended) = piece.as_mut().poll(context) else {
                    at += 1;
                    continue;
                };
                // In order, so that a run can be repeated.
                drop(waiting.remove(at));
                if result.is_ok() {
                    result = ended;
                }
            }
            if waiting.len() == before && before == AT_ONCE_MAX {
                return Poll::Pending;
            }
            let more = AT_ONCE_MAX - waiting.len();
            let polled = waiting.len();
            waiting.extend(work.by_ref().take(more).map(Box::pin));
            if waiting.len() == polled {
                return match waiting.is_empty() {
                    true => Poll::Ready(std::mem::replace(&mut result, Ok(()))),
                    false => Poll::Pending,
                };
            }
        }
    })
    .await
}
