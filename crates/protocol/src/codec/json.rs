//! The JSON form of a header (reference protocol.md §1.2): strict in what it writes (compact,
//! every ext field a string), lenient in what it reads (any scalar anywhere, nulls, strangers).

use std::borrow::Cow;
use std::fmt;

use bytes::{BufMut, BytesMut};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::error::DecodeError;
use crate::ext_fields::ExtFields;
use crate::head::{Head, HeadRef};
use crate::language::Language;
use crate::lenient;
use crate::number::put_integer;
use crate::scalar::Scalar;
use crate::swar::{Stop, string_stop};

/// Decodes a header; broken UTF-8 and lone surrogates are mended as Java does it.
pub(crate) fn decode(header: &[u8]) -> Result<Head, DecodeError> {
    let text = lenient::text(header);
    match serde_json::from_str::<JsonHead>(&text) {
        Ok(head) => Ok(head.0),
        Err(error) => lenient::mend(&text)
            .and_then(|mended| serde_json::from_str::<JsonHead>(&mended).ok())
            .map(|head| head.0)
            .ok_or(DecodeError::Json(error)),
    }
}

struct JsonHead(Head);

impl<'de> Deserialize<'de> for JsonHead {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = JsonHead;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the object of a command header")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonHead, A::Error> {
                let mut head = Head {
                    code: 0,
                    language: Language::JAVA,
                    version: 0,
                    opaque: 0,
                    flag: 0,
                    remark: None,
                    ext_fields: ExtFields::new(),
                };
                while let Some(name) = map.next_key::<Cow<'de, str>>()? {
                    match &*name {
                        "code" => head.code = integer(&mut map)?,
                        "version" => head.version = integer(&mut map)?,
                        "opaque" => head.opaque = integer(&mut map)?,
                        "flag" => head.flag = integer(&mut map)?,
                        "language" => head.language = language(&map.next_value()?),
                        "remark" => {
                            let remark = map.next_value::<Scalar>()?.into_text();
                            head.remark = remark.filter(|text| !text.is_empty());
                        }
                        "extFields" => {
                            head.ext_fields = map
                                .next_value::<Option<Fields>>()?
                                .map_or_else(ExtFields::new, |f| f.0);
                        }
                        _ => {
                            map.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(JsonHead(head))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

fn integer<'de, A: MapAccess<'de>>(map: &mut A) -> Result<i32, A::Error> {
    let scalar = map.next_value::<Scalar>()?;
    if matches!(scalar, Scalar::Null) {
        return Ok(0);
    }
    let whole = scalar.integer().and_then(|whole| i32::try_from(whole).ok());
    whole.ok_or_else(|| A::Error::custom("a number of the header is no 32-bit integer"))
}

/// A name, or an ordinal as some clients send it.
fn language(scalar: &Scalar) -> Language {
    match scalar {
        Scalar::Text(name) if name.parse::<u8>().is_err() => Language::from_name(name),
        other => other
            .integer()
            .and_then(|ordinal| u8::try_from(ordinal).ok())
            .map_or(Language::OTHER, Language),
    }
}

struct Fields(ExtFields);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the object of a command's ext fields")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = ExtFields::new();
                while let Some((name, value)) = map.next_entry::<String, Scalar>()? {
                    if fields.len() == ExtFields::COUNT_MAX {
                        return Err(A::Error::custom("too many ext fields"));
                    }
                    match value.into_text() {
                        Some(text) => fields.insert(name, text),
                        None => drop(fields.remove(&name)),
                    }
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// Appends a header. `extFields` is always there: some clients dereference it unasked.
pub(crate) fn encode(head: HeadRef<'_>, to: &mut BytesMut) {
    to.put_slice(b"{\"code\":");
    put_integer(i64::from(head.code), to);
    to.put_slice(b",\"extFields\":{");
    for (at, (name, value)) in head.ext_fields.iter().enumerate() {
        if at > 0 {
            to.put_u8(b',');
        }
        put_string(name, to);
        to.put_u8(b':');
        put_string(value, to);
    }
    to.put_slice(b"},\"flag\":");
    put_integer(i64::from(head.flag), to);
    to.put_slice(b",\"language\":\"");
    to.put_slice(head.language.name().as_bytes());
    to.put_slice(b"\",\"opaque\":");
    put_integer(i64::from(head.opaque), to);
    if let Some(remark) = head.remark {
        to.put_slice(b",\"remark\":");
        put_string(remark, to);
    }
    to.put_slice(b",\"version\":");
    put_integer(i64::from(head.version), to);
    to.put_u8(b'}');
}

/// Appends a JSON string: control characters, quote and backslash escaped, the rest as it is.
pub(crate) fn put_string(text: &str, to: &mut BytesMut) {
    to.put_u8(b'"');
    put_escaped(text.as_bytes(), to);
    to.put_u8(b'"');
}

/// Appends the inside of a JSON string.
pub(crate) fn put_escaped(bytes: &[u8], to: &mut BytesMut) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut rest = bytes;
    while let Some(Stop { at, .. }) = string_stop(rest) {
        to.put_slice(&rest[..at]);
        match rest[at] {
            b'"' => to.put_slice(b"\\\""),
            b'\\' => to.put_slice(b"\\\\"),
            b'\n' => to.put_slice(b"\\n"),
            b'\r' => to.put_slice(b"\\r"),
            b'\t' => to.put_slice(b"\\t"),
            control => {
                to.put_slice(b"\\u00");
                to.put_u8(HEX[usize::from(control >> 4)]);
                to.put_u8(HEX[usize::from(control & 15)]);
            }
        }
        rest = &rest[at + 1..];
    }
    to.put_slice(rest);
}
