//! What all JSON bodies share: how they are read and written.
//!
//! Reading: the text is mended if it is no JSON, nulls are dropped, so that a field that is null
//! is as good as missing, and numbers are taken in any dress.

use bytes::Bytes;
use serde::de::{DeserializeOwned, Deserializer, Error};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::body::error::BodyError;
use crate::lenient;
use crate::scalar::Scalar;

/// Gives a body its `encode` and `decode`.
macro_rules! json_body {
    ($($kind:ident),*) => {$(
        impl $kind {
            /// The body's bytes: compact standard JSON.
            pub fn encode(&self) -> bytes::Bytes {
                $crate::body::json::write(self)
            }

            /// Reads a body, with fastjson's liberties.
            ///
            /// # Errors
            /// The bytes are no such body.
            pub fn decode(from: &[u8]) -> Result<Self, $crate::body::error::BodyError> {
                $crate::body::json::read_object(from, stringify!($kind))
            }
        }
    )*};
}

pub(crate) use json_body;

pub(crate) fn write<T: Serialize>(body: &T) -> Bytes {
    let text = serde_json::to_vec(body);
    Bytes::from(text.expect("bodies have string keys and finite depth, so they serialise"))
}

pub(crate) fn read<T: DeserializeOwned>(from: &[u8], kind: &'static str) -> Result<T, BodyError> {
    let wrap = |source| BodyError::Json { kind, source };
    let text = lenient::text(from);
    let mut value: Value = match serde_json::from_str(&text) {
        Ok(value) => value,
        Err(error) => lenient::mend(&text)
            .and_then(|mended| serde_json::from_str(&mended).ok())
            .ok_or_else(|| wrap(error))?,
    };
    drop_nulls(&mut value);
    T::deserialize(value).map_err(wrap)
}

/// Reads a body that has named fields. serde would take an array for one, and `[]` for one none of
/// whose fields is there.
pub(crate) fn read_object<T: DeserializeOwned>(
    from: &[u8],
    kind: &'static str,
) -> Result<T, BodyError> {
    let first = from.iter().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(&b'[') {
        let source = serde_json::Error::custom("an object is wanted, and this is an array");
        return Err(BodyError::Json { kind, source });
    }
    read(from, kind)
}

/// Recursion is bounded by the parser's own bound on depth (128).
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => {
            items.retain(|item| !item.is_null());
            items.iter_mut().for_each(drop_nulls);
        }
        _ => {}
    }
}

/// An integer, or the text of one (C++ writes 64-bit integers as strings).
pub(crate) fn integer<'de, D: Deserializer<'de>, T: TryFrom<i64>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let scalar = Scalar::deserialize(deserializer)?;
    let whole = scalar.integer().and_then(|whole| T::try_from(whole).ok());
    whole.ok_or_else(|| D::Error::custom("an integer is wanted"))
}

/// A text, or a scalar taken for its text.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Scalar::deserialize(deserializer)?.into_text().unwrap_or_default())
}

/// A text that may be missing.
pub(crate) fn some_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    Ok(Scalar::deserialize(deserializer)?.into_text())
}

/// An enum of Java: by name, by ordinal, or `unknown`.
pub(crate) fn ordinal<'de, D: Deserializer<'de>, T: Copy>(
    deserializer: D,
    names: &[(&str, T)],
    unknown: T,
) -> Result<T, D::Error> {
    let scalar = Scalar::deserialize(deserializer)?;
    let by_ordinal = || scalar.integer().and_then(|at| names.get(usize::try_from(at).ok()?));
    let found = match &scalar {
        Scalar::Text(name) => names.iter().find(|(known, _)| known == name).or_else(by_ordinal),
        _ => by_ordinal(),
    };
    Ok(found.map_or(unknown, |(_, value)| *value))
}
