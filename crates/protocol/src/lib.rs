//! The wire: commands, headers, bodies and frames. Pure.
//!
//! *Invariant:* this package knows bytes and what they say, not where they come from: no socket,
//! no clock, no task. Every decoder is total: whatever the bytes, the answer is a value or an
//! error, never a panic, and never an allocation beyond the bound of a frame.

pub mod body;
mod codec;
mod command;
mod command_header;
mod error;
mod ext_fields;
pub mod fast;
pub mod frame;
mod head;
pub mod header;
mod language;
mod lenient;
mod number;
mod prefix;
mod request_code;
mod response_code;
mod scalar;
mod serialize_type;
mod swar;
pub mod version;

pub use body::BodyError;
pub use command::RemotingCommand;
pub use command_header::{CommandHeader, FieldValue, HeaderError};
pub use error::DecodeError;
pub use ext_fields::ExtFields;
pub use frame::{Frame, FrameError};
pub use language::Language;
pub use request_code::RequestCode;
pub use response_code::ResponseCode;
pub use serialize_type::SerializeType;
pub use version::VERSION;
