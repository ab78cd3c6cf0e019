//! Which message a search by time means.

/// Which message a search by time means when none was stored at exactly that time, or several were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// The first at this time or later; the queue's end when there is none.
    Lower,
    /// The last at this time or earlier; the queue's start when there is none.
    Upper,
}

impl Boundary {
    /// Its name in a request.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Lower => "LOWER",
            Self::Upper => "UPPER",
        }
    }
}
