//! I: what is read is what was written.

mod checksum_is_the_bodys;
mod content_is_as_sent;
mod damage_is_reported;
mod key_finds_its_messages;
mod place_reads_the_same;
mod store_time_rises;

pub use checksum_is_the_bodys::ChecksumIsTheBodys;
pub use content_is_as_sent::ContentIsAsSent;
pub use damage_is_reported::DamageIsReported;
pub use key_finds_its_messages::KeyFindsItsMessages;
pub use place_reads_the_same::PlaceReadsTheSame;
pub use store_time_rises::StoreTimeRises;
