//! What a consumer wants of a topic: its tags, as the broker's filter and as our own.
//!
//! Pure.

use std::collections::BTreeSet;

use protocol::body::SubscriptionData;

/// One topic and the tags wanted of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The topic.
    pub topic: String,
    /// `*` for all, or tags separated by `||`.
    pub tags: String,
}

impl Subscription {
    /// Subscribes to `tags` (`*`, or several with `||` between) of a topic.
    pub fn new(topic: impl Into<String>, tags: impl Into<String>) -> Self {
        Self { topic: topic.into(), tags: tags.into() }
    }

    /// Every message of a topic.
    pub fn all(topic: impl Into<String>) -> Self {
        Self::new(topic, "*")
    }

    /// The tags by themselves; empty means all.
    pub fn wanted(&self) -> TagFilter {
        let tags = self.tags.split("||").map(str::trim).filter(|tag| !tag.is_empty());
        let tags: BTreeSet<String> = tags.map(str::to_owned).collect();
        TagFilter(if tags.contains("*") { BTreeSet::new() } else { tags })
    }

    /// As a heartbeat says it. `version` is the time of the subscription in ms: brokers keep the
    /// newest.
    pub fn data(&self, version: i64) -> SubscriptionData {
        let tags = self.wanted().0;
        let expression = if tags.is_empty() {
            "*".to_owned()
        } else {
            Vec::from_iter(tags.clone()).join(" || ")
        };
        SubscriptionData {
            topic: self.topic.clone(),
            sub_string: expression,
            code_set: tags.iter().map(|tag| message::java_hash(tag)).collect(),
            tags_set: tags.into_iter().collect(),
            sub_version: version,
            ..SubscriptionData::default()
        }
    }
}

/// The tags a consumer wants; empty means all. The broker filters by hash, so we look again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagFilter(BTreeSet<String>);

impl TagFilter {
    /// Whether a message with this tag is wanted.
    pub fn wants(&self, tag: Option<&str>) -> bool {
        self.0.is_empty() || tag.is_some_and(|tag| self.0.contains(tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_split_trimmed_and_compared_exactly() {
        let filter = Subscription::new("T", " TagA || TagB||").wanted();
        assert!(filter.wants(Some("TagA")) && filter.wants(Some("TagB")));
        assert!(!filter.wants(Some("Tag")) && !filter.wants(None));
    }

    #[test]
    fn a_star_or_nothing_wants_everything() {
        for all in ["*", "", "  ", "TagA || *"] {
            assert!(Subscription::new("T", all).wanted().wants(None), "{all:?}");
            assert_eq!(Subscription::new("T", all).data(1).sub_string, "*");
        }
    }

    #[test]
    fn two_tags_with_one_hash_are_told_apart() {
        assert_eq!(message::java_hash("Aa"), message::java_hash("BB"));
        assert!(!Subscription::new("T", "Aa").wanted().wants(Some("BB")));
    }

    #[test]
    fn a_heartbeat_carries_the_hash_of_every_tag() {
        let data = Subscription::new("TopicA", "TagA || TagB").data(7);
        assert_eq!(Vec::from_iter(data.code_set), [2_598_919, 2_598_920]);
        assert_eq!((data.sub_string.as_str(), data.sub_version), ("TagA || TagB", 7));
    }
}
