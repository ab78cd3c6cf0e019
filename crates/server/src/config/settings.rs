//! Checked settings of one role.

use std::collections::BTreeMap;

use super::key::{Effect, Key, Role, Value};
use super::known;
use super::raw::{ConfigError, Origin, Pair};

/// What the operator set, checked, above RocketMQ's defaults.
#[derive(Debug)]
pub(crate) struct Settings {
    role: Role,
    set: BTreeMap<&'static str, (Value, Origin)>,
    warnings: Vec<String>,
}

impl Settings {
    /// Checks every pair against the table; the last one for a key wins.
    pub(crate) fn check(role: Role, pairs: Vec<Pair>) -> Result<Self, ConfigError> {
        let mut settings = Self { role, set: BTreeMap::new(), warnings: Vec::new() };
        let mut refused = Vec::new();
        for Pair { key: name, value: text, origin } in pairs {
            let Some(key) = known::find(role, &name) else {
                refused.push(format!("{origin}: {}", known::unknown(role, &name)));
                continue;
            };
            match key.parse(&text) {
                Err(expected) => refused.push(format!("{origin}: {name}={text}: {expected}")),
                Ok(_) if key.effect == Effect::Promise && text != key.default => {
                    refused.push(format!(
                        "{origin}: {name}={text}: not supported yet, and to start without it \
                         would break what it promises; only {} is",
                        key.default
                    ));
                }
                Ok(value) => {
                    settings.warnings.extend(warning(key, &text, &origin));
                    settings.set.insert(key.name, (value, origin));
                }
            }
        }
        if refused.is_empty() { Ok(settings) } else { Err(ConfigError::Refused(refused)) }
    }

    /// What was accepted but changes nothing, one sentence each.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The refusal of a value that only turns out to be wrong beside others.
    pub(crate) fn refuse(&self, name: &str, expected: &str) -> ConfigError {
        let origin = self.set.get(name).map_or(&Origin::CommandLine, |(_, origin)| origin);
        ConfigError::Refused(vec![format!("{origin}: {name}: {expected}")])
    }

    /// A text, or its default.
    pub(crate) fn text(&self, name: &str) -> String {
        match self.value(name) {
            Value::Text(text) => text,
            other => unreachable!("{name} is asked for as a text and is {other:?}"),
        }
    }

    /// A number, or its default.
    pub(crate) fn number(&self, name: &str) -> u64 {
        match self.value(name) {
            Value::Number(number) => u64::try_from(number).unwrap_or(0),
            other => unreachable!("{name} is asked for as a number and is {other:?}"),
        }
    }

    /// A flag, or its default.
    pub(crate) fn flag(&self, name: &str) -> bool {
        match self.value(name) {
            Value::Flag(flag) => flag,
            other => unreachable!("{name} is asked for as a flag and is {other:?}"),
        }
    }

    fn value(&self, name: &str) -> Value {
        if let Some((value, _)) = self.set.get(name) {
            return value.clone();
        }
        let key = known::find(self.role, name).expect("only keys of the table are asked for");
        key.parse(key.default).expect("the table's defaults fit, which its test checks")
    }
}

/// What to tell when the key changes nothing and is not at its default.
fn warning(key: &Key, text: &str, origin: &Origin) -> Option<String> {
    if text == key.default {
        return None;
    }
    let name = key.name;
    match key.effect {
        Effect::Acts | Effect::Promise => None,
        Effect::Later => Some(format!(
            "{origin}: {name}={text} has no effect: hotfire knows the key but does not support \
             it yet"
        )),
        Effect::Moot => Some(format!(
            "{origin}: {name}={text} has no effect: it tunes something of the Java broker that \
             hotfire does not have"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::raw::from_command_line;
    use super::*;

    fn settings(role: Role, pairs: &[&str]) -> Result<Settings, ConfigError> {
        let pairs = pairs.iter().map(|pair| from_command_line(pair).unwrap()).collect();
        Settings::check(role, pairs)
    }

    fn refusal(role: Role, pair: &str) -> String {
        settings(role, &[pair]).unwrap_err().to_string()
    }

    #[test]
    fn what_is_not_set_has_the_default_of_rocketmq() {
        let settings = settings(Role::Broker, &[]).unwrap();
        assert_eq!(settings.text("flushDiskType"), "ASYNC_FLUSH");
        assert_eq!(settings.number("mappedFileSizeCommitLog"), 1 << 30);
        assert!(settings.flag("autoCreateTopicEnable"));
    }

    #[test]
    fn the_last_value_of_a_key_wins() {
        let set = ["flushDiskType=SYNC_FLUSH", "brokerName=a", "brokerName=b"];
        let settings = settings(Role::Broker, &set).unwrap();
        assert_eq!(settings.text("brokerName"), "b");
        assert_eq!(settings.text("flushDiskType"), "SYNC_FLUSH");
    }

    #[test]
    fn a_misspelt_key_is_refused_with_the_nearest_name() {
        assert_eq!(
            refusal(Role::Broker, "flushDiskTyp=SYNC_FLUSH"),
            "--set: unknown key flushDiskTyp; did you mean flushDiskType?"
        );
        assert_eq!(
            refusal(Role::Broker, "brokername=a"),
            "--set: unknown key brokername; did you mean brokerName?"
        );
    }

    #[test]
    fn a_key_like_no_other_is_refused_without_a_guess() {
        let refusal = refusal(Role::Broker, "zzzzzzzz=1");
        assert!(refusal.starts_with("--set: unknown key zzzzzzzz"), "{refusal}");
        assert!(!refusal.contains("did you mean"), "{refusal}");
    }

    #[test]
    fn a_key_of_the_other_role_is_refused_with_that_role() {
        assert_eq!(
            refusal(Role::Namesrv, "flushDiskType=SYNC_FLUSH"),
            "--set: flushDiskType is a key of the broker, not of the name server"
        );
    }

    #[test]
    fn a_bad_value_is_refused_with_what_is_expected() {
        let cases = [
            ("flushDiskType=SYNC", "flushDiskType=SYNC: expected ASYNC_FLUSH or SYNC_FLUSH"),
            ("listenPort=70000", "listenPort=70000: expected a whole number from 0 to 65535"),
            ("maxMessageSize=4M", "maxMessageSize=4M: expected a whole number from 1 to 16777216"),
            ("autoCreateTopicEnable=yes", "autoCreateTopicEnable=yes: expected true or false"),
        ];
        for (pair, expected) in cases {
            assert_eq!(refusal(Role::Broker, pair), format!("--set: {expected}"));
        }
    }

    #[test]
    fn every_refusal_is_told_at_once() {
        let error = settings(Role::Broker, &["listenPort=a", "brokerNam=b"]).unwrap_err();
        assert_eq!(error.to_string().lines().count(), 2);
    }

    #[test]
    fn a_promise_that_would_be_broken_is_refused() {
        for pair in ["brokerRole=SYNC_MASTER", "enableDLegerCommitLog=true", "aclEnable=true"] {
            let refusal = refusal(Role::Broker, pair);
            assert!(refusal.contains("not supported yet"), "{refusal}");
        }
        assert!(settings(Role::Broker, &["brokerRole=ASYNC_MASTER"]).is_ok());
    }

    #[test]
    fn a_key_without_effect_warns_unless_it_is_at_its_default() {
        let set = ["transactionTimeOut=1", "slaveReadEnable=false", "sendMessageThreadPoolNums=9"];
        let settings = settings(Role::Broker, &set).unwrap();
        assert_eq!(settings.warnings().len(), 2);
        assert!(settings.warnings()[0].contains("does not support it yet"));
        assert!(settings.warnings()[1].contains("Java broker"));
    }
}
