//! How a header is written: the top byte of a frame's second word.

/// The form of a header. A reply uses the form of its request: C++ and Node clients cannot read
/// the binary one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SerializeType {
    /// A JSON object; what everyone speaks unless told otherwise.
    #[default]
    Json = 0,
    /// RocketMQ's binary form.
    RocketMq = 1,
}

impl SerializeType {
    /// The type of that number, if there is one.
    pub fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Json),
            1 => Some(Self::RocketMq),
            _ => None,
        }
    }

    /// The byte on the wire.
    pub fn to_byte(self) -> u8 {
        match self {
            Self::Json => 0,
            Self::RocketMq => 1,
        }
    }
}
