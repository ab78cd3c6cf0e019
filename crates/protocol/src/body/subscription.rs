//! What a group wants of a topic.

use std::collections::BTreeSet;

use serde::de::Deserializer;
use serde::{Deserialize, Serialize};

use crate::body::json::{integer, json_body, text};
use crate::scalar::Scalar;

/// A subscription to one topic.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SubscriptionData {
    /// A removed feature; false.
    pub class_filter_mode: bool,
    /// Java's `hashCode` of each tag.
    #[serde(deserialize_with = "codes")]
    pub code_set: BTreeSet<i32>,
    /// `TAG` or `SQL92`; ali-ons omits it.
    #[serde(deserialize_with = "text")]
    pub expression_type: String,
    /// The expression; `*` wants everything.
    #[serde(deserialize_with = "text")]
    pub sub_string: String,
    /// When it was made or last changed, in ms: the newest wins.
    #[serde(deserialize_with = "integer")]
    pub sub_version: i64,
    /// The tags.
    pub tags_set: BTreeSet<String>,
    /// The topic.
    #[serde(deserialize_with = "text")]
    pub topic: String,
}

impl SubscriptionData {
    /// The expression that wants everything.
    pub const ALL: &'static str = "*";
    /// Expressions are tags joined by `||`.
    pub const TAG: &'static str = "TAG";
    /// Expressions are conditions on properties.
    pub const SQL92: &'static str = "SQL92";

    /// A subscription to tags: `*`, or tags joined by `||`. `None` when there is no tag between
    /// the bars.
    pub fn for_tags(topic: &str, expression: &str) -> Option<Self> {
        let base = Self { topic: topic.to_owned(), ..Self::default() };
        if expression.is_empty() || expression == Self::ALL {
            return Some(base);
        }
        let tags = expression.split("||").map(str::trim).filter(|tag| !tag.is_empty());
        let tags_set: BTreeSet<String> = tags.map(str::to_owned).collect();
        let code_set = tags_set.iter().map(|tag| message::java_hash(tag)).collect();
        let sub_string = expression.to_owned();
        (!tags_set.is_empty()).then_some(Self { code_set, sub_string, tags_set, ..base })
    }
}

/// Wants everything of no topic.
impl Default for SubscriptionData {
    fn default() -> Self {
        Self {
            class_filter_mode: false,
            code_set: BTreeSet::new(),
            expression_type: Self::TAG.to_owned(),
            sub_string: Self::ALL.to_owned(),
            sub_version: 0,
            tags_set: BTreeSet::new(),
            topic: String::new(),
        }
    }
}

fn codes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<i32>, D::Error> {
    let codes = Vec::<Scalar>::deserialize(deserializer)?;
    let code = |scalar: &Scalar| scalar.integer().and_then(|whole| i32::try_from(whole).ok());
    Ok(codes.iter().filter_map(code).collect())
}

json_body!(SubscriptionData);

#[cfg(test)]
mod tests {
    use super::SubscriptionData;

    #[test]
    fn tags_are_split_trimmed_and_hashed() {
        let both = SubscriptionData::for_tags("t", " TagB||TagA ||").expect("two tags");
        assert_eq!(both.tags_set.iter().collect::<Vec<_>>(), ["TagA", "TagB"]);
        assert_eq!(both.code_set.into_iter().collect::<Vec<_>>(), [2_598_919, 2_598_920]);
        assert_eq!(SubscriptionData::for_tags("t", "").expect("all").sub_string, "*");
        assert_eq!(SubscriptionData::for_tags("t", "|| ||"), None);
    }
}
