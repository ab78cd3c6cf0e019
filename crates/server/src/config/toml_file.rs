//! The same keys in TOML: one flat table, values as TOML writes them.

use toml::Value;

use super::raw::{ConfigError, Origin, Pair};

/// The pairs of a file, by key.
pub(crate) fn parse(name: &str, text: &str) -> Result<Vec<Pair>, ConfigError> {
    let table: toml::Table = text
        .parse()
        .map_err(|error: toml::de::Error| ConfigError::Syntax(format!("{name}: {error}")))?;
    let mut pairs = Vec::new();
    for (key, value) in table {
        let origin = Origin::File { name: name.to_owned(), line: line_of(text, &key) };
        let value = match value {
            Value::String(text) => text,
            Value::Integer(number) => number.to_string(),
            Value::Boolean(flag) => flag.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Array(items) => joined(&items).ok_or_else(|| refusal(&origin, &key))?,
            Value::Table(_) | Value::Datetime(_) => return Err(refusal(&origin, &key)),
        };
        pairs.push(Pair { key, value, origin });
    }
    Ok(pairs)
}

/// A list of texts, in RocketMQ's way of writing one (`namesrvAddr`, `dLegerPeers`).
fn joined(items: &[Value]) -> Option<String> {
    let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
    Some(texts?.join(";"))
}

fn refusal(origin: &Origin, key: &str) -> ConfigError {
    ConfigError::Syntax(format!(
        "{origin}: {key}: expected a text, a number, true, false or a list of texts; keys are \
         not grouped in tables"
    ))
}

/// The line that sets the key; the first if it is written in a way we do not look for.
fn line_of(text: &str, key: &str) -> usize {
    let sets = |line: &str| {
        line.split_once('=').is_some_and(|(name, _)| name.trim().trim_matches(['"', '\'']) == key)
            || line.trim().trim_matches(['[', ']']) == key
    };
    text.lines().position(sets).map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_each_kind_become_texts() {
        let text = "brokerName = \"a\"\nlistenPort = 10911\nautoCreateTopicEnable = false\n\
                    namesrvAddr = [\"a:1\", \"b:2\"]\n";
        let mut pairs = parse("hotfire.toml", text).unwrap();
        pairs.sort_by_key(|pair| pair.origin.to_string());
        let values: Vec<_> = pairs.iter().map(|pair| pair.value.as_str()).collect();
        assert_eq!(values, ["a", "10911", "false", "a:1;b:2"]);
        assert_eq!(pairs[3].origin.to_string(), "hotfire.toml:4");
    }

    #[test]
    fn a_table_is_refused_with_its_line() {
        let error = parse("hotfire.toml", "brokerId = 0\n[store]\na = 1\n").unwrap_err();
        assert!(error.to_string().starts_with("hotfire.toml:2: store: expected"), "{error}");
    }

    #[test]
    fn what_is_no_toml_is_refused_with_the_place() {
        let error = parse("hotfire.toml", "brokerName = a\n").unwrap_err();
        assert!(error.to_string().contains("line 1"), "{error}");
    }
}
