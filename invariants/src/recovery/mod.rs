//! S: a store puts itself in order.

mod every_start_ends_well;
mod index_mirrors_the_log;
mod queues_mirror_the_log;
mod records_are_sound;
mod recovery_is_idempotent;
mod tables_are_whole;

pub use every_start_ends_well::EveryStartEndsWell;
pub use index_mirrors_the_log::IndexMirrorsTheLog;
pub use queues_mirror_the_log::QueuesMirrorTheLog;
pub use records_are_sound::RecordsAreSound;
pub use recovery_is_idempotent::RecoveryIsIdempotent;
pub use tables_are_whole::TablesAreWhole;
