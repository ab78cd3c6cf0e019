//! Which messages of a topic a consumer wants.

use std::collections::BTreeSet;

use message::record::View;

/// Decides by the tags code that stands in the queue entry, and then, because two tags may have the
/// same code, by the tag of the record. None that is wanted is ever held back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TagFilter {
    /// Every message.
    All,
    /// Those with one of these codes and, where they are known, one of these tags.
    Tags {
        /// Java's hash codes of the tags.
        codes: BTreeSet<i32>,
        /// The tags; none when the client named only codes.
        tags: BTreeSet<String>,
    },
}

/// An expression that names no tag, such as `||`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unparsable;

impl TagFilter {
    /// Reads a tag expression: `*` or nothing is everything, `TagA || TagB` either.
    pub(crate) fn parse(expression: &str) -> Result<Self, Unparsable> {
        if expression.is_empty() || expression == "*" {
            return Ok(Self::All);
        }
        let tags: BTreeSet<String> = expression
            .split("||")
            .map(str::trim)
            .filter(|tag| !tag.is_empty())
            .map(str::to_owned)
            .collect();
        let codes = tags.iter().map(|tag| message::java_hash(tag)).collect();
        if tags.is_empty() { Err(Unparsable) } else { Ok(Self::Tags { codes, tags }) }
    }

    /// What a heartbeat's subscription says: its codes, unless it names none, and its tags, unless
    /// they are others than those of the codes.
    pub(crate) fn of_subscription(
        expression: &str,
        codes: BTreeSet<i32>,
        tags: BTreeSet<String>,
    ) -> Self {
        if expression == "*" || codes.is_empty() {
            return Self::All;
        }
        let of_tags: BTreeSet<i32> = tags.iter().map(|tag| message::java_hash(tag)).collect();
        Self::Tags { tags: if of_tags == codes { tags } else { BTreeSet::new() }, codes }
    }

    /// Whether a message with this tags code is wanted.
    pub(crate) fn wants(&self, tags_code: i64) -> bool {
        match self {
            Self::All => true,
            Self::Tags { codes, .. } => codes.contains(&(tags_code as i32)),
        }
    }

    /// Whether the record has to be looked at, too.
    pub(crate) fn looks_at_records(&self) -> bool {
        matches!(self, Self::Tags { tags, .. } if !tags.is_empty())
    }

    /// Whether a message whose code is wanted is wanted by its tag.
    pub(crate) fn wants_record(&self, record: &View<'_>) -> bool {
        match self {
            Self::Tags { tags, .. } if !tags.is_empty() => {
                let tag = record.property("TAGS").and_then(|tag| std::str::from_utf8(tag).ok());
                tag.is_some_and(|tag| tags.contains(tag))
            }
            _ => true,
        }
    }
}

/// Whether an expression type is the tag filter; absent and empty are.
pub(crate) fn is_tag_type(expression_type: Option<&str>) -> bool {
    expression_type.is_none_or(|name| name.is_empty() || name == "TAG")
}

#[cfg(test)]
mod tests {
    use message::record::Fields;
    use message::{PhysicalOffset, QueueOffset, SysFlag};

    use super::*;

    #[test]
    fn a_tag_expression_wants_its_tags_and_no_others() {
        let filter = TagFilter::parse(" TagA || TagB||").expect("it names tags");
        assert!(filter.wants(2_598_919));
        assert!(filter.wants(2_598_920));
        assert!(!filter.wants(2_598_922));
        assert!(!filter.wants(0));
    }

    #[test]
    fn a_star_and_nothing_want_all() {
        assert_eq!(TagFilter::parse("*"), Ok(TagFilter::All));
        assert_eq!(TagFilter::parse(""), Ok(TagFilter::All));
        assert!(TagFilter::All.wants(7));
    }

    #[test]
    fn an_expression_without_a_tag_is_refused() {
        assert_eq!(TagFilter::parse(" || "), Err(Unparsable));
    }

    #[test]
    fn a_negative_code_survives_its_widening() {
        let filter = TagFilter::of_subscription("x", [-5].into(), [].into());
        assert!(filter.wants(-5));
        assert!(!filter.wants(5));
    }

    #[test]
    fn a_heartbeat_without_codes_wants_all() {
        assert_eq!(TagFilter::of_subscription("TagA", [].into(), [].into()), TagFilter::All);
        assert_eq!(TagFilter::of_subscription("*", [1].into(), [].into()), TagFilter::All);
    }

    #[test]
    fn a_tag_with_the_same_code_is_told_apart_by_the_record() {
        // Java's hash codes of these two are equal.
        assert_eq!(message::java_hash("Aa"), message::java_hash("BB"));
        let record = |properties: &[u8]| {
            let host = std::net::SocketAddr::from(([10, 0, 0, 1], 1));
            let fields = Fields {
                queue_id: 0,
                flag: 0,
                queue_offset: QueueOffset(0),
                physical_offset: PhysicalOffset(0),
                sys_flag: SysFlag(0),
                born_timestamp: 0,
                born_host: host,
                store_timestamp: 0,
                store_host: host,
                reconsume_times: 0,
                prepared_transaction_offset: PhysicalOffset(0),
                body_crc: 0,
                body: b"",
                topic: "T",
                properties: &[properties],
            };
            fields.encode()
        };
        let filter = TagFilter::parse("Aa").expect("it names a tag");
        let wants = |filter: &TagFilter, properties: &[u8]| {
            let record = record(properties);
            let view = View::parse(&record).expect("it was just made");
            filter.wants_record(&view)
        };
        assert!(filter.looks_at_records());
        assert!(wants(&filter, b"KEYS\x01k\x02TAGS\x01Aa"));
        assert!(!wants(&filter, b"TAGS\x01BB"));
        let codes = TagFilter::of_subscription("Aa", [message::java_hash("Aa")].into(), [].into());
        assert!(!codes.looks_at_records() && wants(&codes, b"TAGS\x01BB"), "tags not known");
    }
}
