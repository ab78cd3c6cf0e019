//! A message as a producer makes it.

use bytes::Bytes;

use crate::property::{self, Properties};

/// What a producer sends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Where to.
    pub topic: String,
    /// Bits of the user's own.
    pub flag: i32,
    /// Names and values that travel along.
    pub properties: Properties,
    /// The payload; the broker never looks into it.
    pub body: Bytes,
}

impl Message {
    /// A message without properties.
    pub fn new(topic: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self { topic: topic.into(), body: body.into(), ..Self::default() }
    }

    /// The tag that consumers filter by.
    pub fn tags(&self) -> Option<&str> {
        self.properties.get(property::TAGS)
    }

    /// The keys, separated by blanks.
    pub fn keys(&self) -> Option<&str> {
        self.properties.get(property::KEYS)
    }

    /// The id that the producer gave it.
    pub fn unique_key(&self) -> Option<&str> {
        self.properties.get(property::UNIQ_KEY)
    }

    /// The same message with a tag.
    #[must_use]
    pub fn with_tags(self, tags: impl Into<String>) -> Self {
        self.with_property(property::TAGS, tags)
    }

    /// The same message with keys, separated by blanks.
    #[must_use]
    pub fn with_keys(self, keys: impl Into<String>) -> Self {
        self.with_property(property::KEYS, keys)
    }

    /// The same message, to be delivered after the delay of a level (from 1).
    #[must_use]
    pub fn with_delay_level(self, level: u32) -> Self {
        self.with_property(property::DELAY, level.to_string())
    }

    /// The same message with one more property.
    #[must_use]
    pub fn with_property(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.set(name, value);
        self
    }
}
