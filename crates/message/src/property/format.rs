//! The bytes between names and values, and how many bytes there may be.

/// Between a name and its value.
pub const NAME_END: u8 = 1;
/// Behind a value.
pub const VALUE_END: u8 = 2;
/// The longest properties string, in bytes: the record keeps its length in a signed short.
pub const LEN_MAX: usize = 32_767;
