//! The two forms of a header.

pub(crate) mod binary;
pub(crate) mod json;
