//! S: a store puts itself in order.

mod abort_while_running;
mod checkpoint_is_covered;
mod every_start_ends_well;
mod golden_bytes;
mod index_mirrors_the_log;
mod no_dangling_entry;
mod queues_mirror_the_log;
mod records_are_sound;
mod recovery_is_idempotent;
mod roll_is_exact;
mod start_keeps_places;
mod tables_are_handed_on;
mod tables_are_whole;

pub use abort_while_running::AbortWhileRunning;
pub use checkpoint_is_covered::CheckpointIsCovered;
pub use every_start_ends_well::EveryStartEndsWell;
pub use golden_bytes::GoldenBytes;
pub use index_mirrors_the_log::IndexMirrorsTheLog;
pub use no_dangling_entry::NoDanglingEntry;
pub use queues_mirror_the_log::QueuesMirrorTheLog;
pub use records_are_sound::RecordsAreSound;
pub use recovery_is_idempotent::RecoveryIsIdempotent;
pub use roll_is_exact::RollIsExact;
pub use start_keeps_places::StartKeepsPlaces;
pub use tables_are_handed_on::{LEFT, TablesAreHandedOn};
pub use tables_are_whole::TablesAreWhole;
