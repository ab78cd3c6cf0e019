//! D: what is promised stays.

mod acked_is_readable;
mod exposed_is_owed;
mod kept;
mod loss_is_a_suffix;
mod loss_is_bounded;
mod no_ack_after_failed_sync;
mod no_space_is_all_or_nothing;
mod progress_is_kept;
mod refused_leaves_no_byte;
mod weak_is_kept;

pub use acked_is_readable::AckedIsReadable;
pub use exposed_is_owed::ExposedIsOwed;
pub use loss_is_a_suffix::LossIsASuffix;
pub use loss_is_bounded::LossIsBounded;
pub use no_ack_after_failed_sync::NoAckAfterFailedSync;
pub use no_space_is_all_or_nothing::NoSpaceIsAllOrNothing;
pub use progress_is_kept::ProgressIsKept;
pub use refused_leaves_no_byte::RefusedLeavesNoByte;
pub use weak_is_kept::WeakIsKept;
