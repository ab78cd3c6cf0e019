//! Typed views of a command's ext fields, and the macro that declares them.

use crate::ext_fields::ExtFields;
use crate::request_code::RequestCode;

/// A custom header: the typed form of a command's ext fields.
pub trait CommandHeader: Sized {
    /// Writes the fields.
    fn encode(&self, to: &mut ExtFields);

    /// Writes the fields under the names that requests of `code` use. Only the send family has
    /// two sets of names; everyone else writes the one it has.
    fn encode_for(&self, _code: RequestCode, to: &mut ExtFields) {
        self.encode(to);
    }

    /// Reads the fields; unknown ones are ignored.
    ///
    /// # Errors
    /// A field is missing or is no value of its type.
    fn decode(from: &ExtFields) -> Result<Self, HeaderError>;
}

/// Why ext fields are not the wanted header. Answer SYSTEM_ERROR with it as the remark.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HeaderError {
    /// The field must be there.
    #[error("the header field {field} is missing; send it")]
    Missing {
        /// Its name on the wire.
        field: &'static str,
    },
    /// The field's text is no such value.
    #[error("the header field {field} is {value:?}; send {expected}")]
    Invalid {
        /// Its name on the wire.
        field: &'static str,
        /// What was sent, at most some 100 letters of it.
        value: String,
        /// What would be accepted.
        expected: &'static str,
    },
}

/// A type that a header field can have.
pub trait FieldValue: Sized {
    /// Writes `self` under `name`, or nothing when there is nothing to say.
    fn write(&self, name: &'static str, to: &mut ExtFields);
    /// Reads the field.
    ///
    /// # Errors
    /// It is missing (unless the type is an `Option`), or is no such value.
    fn read(name: &'static str, from: &ExtFields) -> Result<Self, HeaderError>;
}

fn required<'a>(name: &'static str, from: &'a ExtFields) -> Result<&'a str, HeaderError> {
    from.get(name).ok_or(HeaderError::Missing { field: name })
}

fn invalid(field: &'static str, value: &str, expected: &'static str) -> HeaderError {
    HeaderError::Invalid { field, value: value.chars().take(100).collect(), expected }
}

impl FieldValue for String {
    fn write(&self, name: &'static str, to: &mut ExtFields) {
        to.insert(name, self.as_str());
    }

    fn read(name: &'static str, from: &ExtFields) -> Result<Self, HeaderError> {
        required(name, from).map(str::to_owned)
    }
}

impl FieldValue for bool {
    fn write(&self, name: &'static str, to: &mut ExtFields) {
        to.insert(name, if *self { "true" } else { "false" });
    }

    /// As Java's `Boolean.parseBoolean`: whatever is not "true" is false.
    fn read(name: &'static str, from: &ExtFields) -> Result<Self, HeaderError> {
        required(name, from).map(|text| text.eq_ignore_ascii_case("true"))
    }
}

macro_rules! number_field {
    ($($number:ty: $expected:literal),*) => {$(
        impl FieldValue for $number {
            fn write(&self, name: &'static str, to: &mut ExtFields) {
                to.insert(name, self.to_string());
            }

            fn read(name: &'static str, from: &ExtFields) -> Result<Self, HeaderError> {
                let text = required(name, from)?;
                text.parse().map_err(|_| invalid(name, text, $expected))
            }
        }
    )*};
}

number_field!(i32: "a 32-bit integer", i64: "a 64-bit integer", f64: "a decimal number");

impl<T: FieldValue> FieldValue for Option<T> {
    fn write(&self, name: &'static str, to: &mut ExtFields) {
        if let Some(value) = self {
            value.write(name, to);
        }
    }

    /// A missing field and, for anything but text, an empty one (C++ clients send such) is `None`.
    fn read(name: &'static str, from: &ExtFields) -> Result<Self, HeaderError> {
        match from.get(name) {
            None => Ok(None),
            Some("") => Ok(T::read(name, from).ok()),
            Some(_) => T::read(name, from).map(Some),
        }
    }
}

/// Reads a field that may be missing.
pub(crate) fn read_or<T: FieldValue>(
    name: &'static str,
    from: &ExtFields,
    absent: T,
) -> Result<T, HeaderError> {
    Ok(Option::<T>::read(name, from)?.unwrap_or(absent))
}

/// Declares a header: a documented struct whose fields name their wire name, and its
/// [`CommandHeader`]. `or VALUE` after a wire name says what a missing field means.
macro_rules! command_header {
    ($(#[$meta:meta])* $name:ident {
        $($(#[$field_meta:meta])* $field:ident: $kind:ty = $wire:literal $(or $absent:expr)?,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Debug, Default)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $kind,)*
        }

        impl $crate::command_header::CommandHeader for $name {
            fn encode(&self, _to: &mut $crate::ext_fields::ExtFields) {
                $($crate::command_header::FieldValue::write(&self.$field, $wire, _to);)*
            }

            fn decode(
                _from: &$crate::ext_fields::ExtFields,
            ) -> Result<Self, $crate::command_header::HeaderError> {
                Ok(Self {
                    $($field: $crate::command_header::read_field!(
                        $kind, $wire, _from $(, $absent)?
                    ),)*
                })
            }
        }
    };
}

/// One field of [`command_header!`], with or without a value for when it is missing.
macro_rules! read_field {
    ($kind:ty, $wire:literal, $from:expr) => {
        <$kind as $crate::command_header::FieldValue>::read($wire, $from)?
    };
    ($kind:ty, $wire:literal, $from:expr, $absent:expr) => {
        $crate::command_header::read_or::<$kind>($wire, $from, $absent)?
    };
}

pub(crate) use {command_header, read_field};
