//! The first of two futures; biased, so that a seed decides and not a counter.

use std::task::Poll;

/// Which of two futures was first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Either<A, B> {
    /// The left one, also when both were ready.
    Left(A),
    /// The right one.
    Right(B),
}

/// The output of the first future to finish, the left one when both are ready. The other is
/// dropped.
pub async fn race<A, B>(left: A, right: B) -> Either<A::Output, B::Output>
where
    A: Future,
    B: Future,
{
    let mut left = std::pin::pin!(left);
    let mut right = std::pin::pin!(right);
    std::future::poll_fn(move |context| {
        if let Poll::Ready(output) = left.as_mut().poll(context) {
            return Poll::Ready(Either::Left(output));
        }
        right.as_mut().poll(context).map(Either::Right)
    })
    .await
}
