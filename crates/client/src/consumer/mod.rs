//! Consumers: pulled by hand, or pushed to a listener by a member of a group.

mod ask;
mod boundary;
mod commit;
mod deal;
mod deliver;
mod listener;
mod member;
pub(crate) mod observer;
pub mod progress;
mod pull;
mod push;
mod queue_loop;
pub mod reaction;

pub use boundary::Boundary;
pub use listener::{ConsumeStatus, Delivery, MessageListener};
pub use observer::GroupObserver;
pub use pull::{PullConsumer, PullOptions, PullResult, PullStatus};
pub use push::PushConsumer;
