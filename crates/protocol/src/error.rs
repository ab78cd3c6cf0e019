//! Why a header could not be decoded.

use crate::ext_fields::ExtFields;

/// A header that is none. The connection is beyond repair: close it.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not JSON, or not the JSON of a header.
    #[error("the JSON header is malformed: {0}; close the connection")]
    Json(#[source] serde_json::Error),
    /// A length points beyond the header.
    #[error("the binary header ends inside its {0}; close the connection")]
    Short(&'static str),
    /// A length is negative.
    #[error("the binary header has a negative length of {0}; close the connection")]
    Negative(&'static str),
    /// More fields than any client sends.
    #[error("the header has more than {} fields; close the connection", ExtFields::COUNT_MAX)]
    TooManyFields,
}
