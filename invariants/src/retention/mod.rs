//! E: what is deleted, and what follows.

mod deletion_is_due;
mod head_goes_first;
mod lagging_reader_is_told;
mod queues_follow_the_log;
mod reader_meets_no_gap;
mod space_is_freed;

pub use deletion_is_due::DeletionIsDue;
pub use head_goes_first::HeadGoesFirst;
pub use lagging_reader_is_told::LaggingReaderIsTold;
pub use queues_follow_the_log::QueuesFollowTheLog;
pub use reader_meets_no_gap::ReaderMeetsNoGap;
pub use space_is_freed::SpaceIsFreed;
