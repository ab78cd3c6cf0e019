//! What a header says, between the command and the two forms it is written in.

use crate::ext_fields::ExtFields;
use crate::language::Language;

/// A decoded header.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) code: i32,
    pub(crate) language: Language,
    pub(crate) version: i32,
    pub(crate) opaque: i32,
    pub(crate) flag: i32,
    pub(crate) remark: Option<String>,
    pub(crate) ext_fields: ExtFields,
}

/// A header to be encoded.
#[derive(Clone, Copy)]
pub(crate) struct HeadRef<'a> {
    pub(crate) code: i32,
    pub(crate) language: Language,
    pub(crate) version: i32,
    pub(crate) opaque: i32,
    pub(crate) flag: i32,
    pub(crate) remark: Option<&'a str>,
    pub(crate) ext_fields: &'a ExtFields,
}
