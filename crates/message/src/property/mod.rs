//! Properties: names and values that travel with a message.
//!
//! On the wire and on disk they are one byte string, `name 0x01 value 0x02 name 0x01 value`. The
//! last `0x02` may be there (5.x) or not (4.9). A pair without a name or without a value counts as
//! absent; of two pairs with one name the later wins. A broker keeps the string as it came and only
//! appends, so the hot path works on the bytes ([`find`], [`iter`]) and never on [`Properties`].

mod format;
mod name;
mod properties;
mod raw;

pub use format::{LEN_MAX, NAME_END, VALUE_END};
pub use name::*;
pub use properties::{Properties, PropertyError};
pub use raw::{find, iter};
