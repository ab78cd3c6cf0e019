//! Why bytes are no record.

/// Why [`super::View::parse`] gave no record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The bytes end before the record does.
    #[error("the record needs {needed} bytes but only {have} are there; read more")]
    Short {
        /// How many bytes it takes, as far as is known.
        needed: usize,
        /// How many there are.
        have: usize,
    },
    /// The blank that fills a file's end; the next record starts the next file.
    #[error("a blank of {len} bytes fills the end of the file")]
    Blank {
        /// How many bytes it says that it fills.
        len: u32,
    },
    /// Neither a record nor a blank starts here; zero where nothing was ever written.
    #[error("0x{0:08x} is not the magic of a record; the log ends here or is damaged")]
    Magic(u32),
    /// A length that contradicts the record's size.
    #[error("the {field} length {len} does not fit a record of {total} bytes; it is damaged")]
    Length {
        /// What it is the length of.
        field: &'static str,
        /// What it says.
        len: i64,
        /// The size that the record says it has.
        total: u32,
    },
    /// A port beyond 65 535.
    #[error("{0} is no port; the record is damaged")]
    Port(u32),
    /// A topic that is no UTF-8.
    #[error("the topic is not UTF-8; the record is damaged")]
    Topic,
}
