//! Properties as a list of owned pairs, for clients and for the rare paths of a broker.

use super::format::{LEN_MAX, NAME_END, VALUE_END};
use super::raw;

/// Names and values in the order they were first set, each name once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties(Vec<(String, String)>);

/// Why properties cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PropertyError {
    /// A name or value holds a byte that separates pairs, so it would be read as something else.
    #[error("property {name:?} holds a separator (0x01 or 0x02); remove it")]
    Separator {
        /// The property.
        name: String,
    },
    /// A name or a value is empty, so it would be read as absent.
    #[error("property {name:?} has an empty name or value; give it one or leave it out")]
    Empty {
        /// The property.
        name: String,
    },
    /// Together they are longer than [`LEN_MAX`].
    #[error("the properties take {len} bytes; at most {LEN_MAX} are allowed")]
    TooLong {
        /// Their encoded length in bytes.
        len: usize,
    },
}

impl Properties {
    /// No properties.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Gives `name` a value; a name that is there keeps its place.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.0.push((name, value)),
        }
    }

    /// Takes `name` out and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1)
    }

    /// The pairs, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every pair would be read back as it is, and fits.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), PropertyError> {
        for (name, value) in self.iter() {
            if name.is_empty() || value.is_empty() {
                return Err(PropertyError::Empty { name: name.into() });
            }
            let separates = |byte: u8| byte == NAME_END || byte == VALUE_END;
            if name.bytes().any(separates) || value.bytes().any(|byte| byte == VALUE_END) {
                return Err(PropertyError::Separator { name: name.into() });
            }
        }
        match self.encoded_len() {
            0..=LEN_MAX => Ok(()),
            len => Err(PropertyError::TooLong { len }),
        }
    }

    /// The length of [`Properties::encode`] in bytes.
    pub fn encoded_len(&self) -> usize {
        let pairs: usize = self.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
        pairs.saturating_sub(1)
    }

    /// The properties string, without a separator at its end, as 4.9 writes it.
    pub fn encode(&self) -> String {
        let mut encoded = String::with_capacity(self.encoded_len());
        for (name, value) in self.iter() {
            if !encoded.is_empty() {
                encoded.push(char::from(VALUE_END));
            }
            encoded.push_str(name);
            encoded.push(char::from(NAME_END));
            encoded.push_str(value);
        }
        encoded
    }

    /// Reads a properties string; what is no pair is left out, the last of two wins.
    pub fn decode(encoded: &str) -> Self {
        Self::from_raw(encoded.as_bytes())
    }

    /// [`Properties::decode`] of bytes; what is no UTF-8 becomes U+FFFD.
    pub fn from_raw(encoded: &[u8]) -> Self {
        let mut properties = Self::new();
        for (name, value) in raw::iter(encoded) {
            properties.set(String::from_utf8_lossy(name), String::from_utf8_lossy(value));
        }
        properties
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Properties {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut properties = Self::new();
        pairs.into_iter().for_each(|(name, value)| properties.set(name, value));
        properties
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_keeps_its_place_when_its_value_changes() {
        let mut properties: Properties = [("a", "1"), ("b", "2")].into_iter().collect();
        properties.set("a", "3");
        assert_eq!(properties.encode(), "a\x013\x02b\x012");
        assert_eq!(properties.remove("a"), Some("3".into()));
        assert_eq!(properties.remove("a"), None);
        assert_eq!((properties.len(), properties.get("b")), (1, Some("2")));
    }

    #[test]
    fn what_would_not_be_read_back_is_refused() {
        let one = |name: &str, value: &str| Properties::from_iter([(name, value)]).check();
        assert_eq!(one("a", "b"), Ok(()));
        assert_eq!(one("a", "b\x01c"), Ok(()));
        assert!(matches!(one("a\x01", "b"), Err(PropertyError::Separator { .. })));
        assert!(matches!(one("a", "b\x02"), Err(PropertyError::Separator { .. })));
        assert!(matches!(one("a", ""), Err(PropertyError::Empty { .. })));
        assert_eq!(one("a", &"b".repeat(LEN_MAX - 2)), Ok(()));
        let long = one("a", &"b".repeat(LEN_MAX - 1));
        assert_eq!(long, Err(PropertyError::TooLong { len: LEN_MAX + 1 }));
    }

    proptest! {
        #[test]
        fn what_passes_the_check_is_read_back(
            pairs in proptest::collection::vec(("[^\\x01\\x02]{1,5}", "[^\\x02]{1,9}"), 0..9),
        ) {
            let properties: Properties = pairs.into_iter().collect();
            prop_assert_eq!(properties.check(), Ok(()));
            let encoded = properties.encode();
            prop_assert_eq!(encoded.len(), properties.encoded_len());
            prop_assert_eq!(&Properties::decode(&encoded), &properties);
            prop_assert_eq!(&Properties::decode(&format!("{encoded}\x02")), &properties);
        }

        #[test]
        fn any_bytes_decode_to_something_that_encodes_and_decodes_to_itself(bytes: Vec<u8>) {
            let properties = Properties::from_raw(&bytes);
            prop_assert_eq!(Properties::decode(&properties.encode()), properties);
        }
    }
}
