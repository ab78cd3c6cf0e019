//! The stored record: one message in the CommitLog and in the body of a pull reply.
//!
//! All numbers are big-endian. A host is an address of 4 or 16 bytes and a port of 4.
//!
//! ```text
//! total size 4 │ magic 4 │ body CRC 4 │ queue id 4 │ flag 4 │ queue offset 8 │ physical offset 8
//! sys flag 4 │ born time 8 │ born host 8|20 │ store time 8 │ store host 8|20 │ reconsume times 4
//! prepared transaction offset 8 │ body length 4 │ body │ topic length 1 (V1) | 2 (V2) │ topic
//! properties length 2 │ properties
//! ```
//!
//! The CRC covers the body only: a flipped bit anywhere else goes unnoticed by it.

mod decode;
mod error;
mod fields;
mod layout;
mod view;

pub use decode::{decode_all, views};
pub use error::RecordError;
pub use fields::Fields;
pub use layout::{
    FIXED_LEN, MAGIC_BLANK, MAGIC_V1, MAGIC_V2, PHYSICAL_OFFSET_AT, QUEUE_OFFSET_AT, TOPIC_V1_MAX,
    body_crc,
};
pub use view::View;
