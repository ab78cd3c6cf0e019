//! Which messages of a topic a consumer wants.

use std::collections::BTreeSet;

/// Decides by the tags code that stands in the queue entry. A collision of codes lets a foreign
/// tag through, which the client drops by the tag itself; none that is wanted is ever held back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TagFilter {
    /// Every message.
    All,
    /// Those with one of these codes.
    Codes(BTreeSet<i32>),
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
        let codes: BTreeSet<i32> = expression
            .split("||")
            .map(str::trim)
            .filter(|tag| !tag.is_empty())
            .map(message::java_hash)
            .collect();
        if codes.is_empty() { Err(Unparsable) } else { Ok(Self::Codes(codes)) }
    }

    /// What a heartbeat's subscription says: its codes, unless it names none.
    pub(crate) fn of_codes(expression: &str, codes: impl IntoIterator<Item = i32>) -> Self {
        let codes: BTreeSet<i32> = codes.into_iter().collect();
        if expression == "*" || codes.is_empty() { Self::All } else { Self::Codes(codes) }
    }

    /// Whether a message with this tags code is wanted.
    pub(crate) fn wants(&self, tags_code: i64) -> bool {
        match self {
            Self::All => true,
            Self::Codes(codes) => codes.contains(&(tags_code as i32)),
        }
    }
}

/// Whether an expression type is the tag filter; absent and empty are.
pub(crate) fn is_tag_type(expression_type: Option<&str>) -> bool {
    expression_type.is_none_or(|name| name.is_empty() || name == "TAG")
}

#[cfg(test)]
mod tests {
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
        let filter = TagFilter::of_codes("x", [-5]);
        assert!(filter.wants(-5));
        assert!(!filter.wants(5));
    }

    #[test]
    fn a_heartbeat_without_codes_wants_all() {
        assert_eq!(TagFilter::of_codes("TagA", []), TagFilter::All);
        assert_eq!(TagFilter::of_codes("*", [1]), TagFilter::All);
    }
}
