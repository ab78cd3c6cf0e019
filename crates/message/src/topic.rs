//! Topic names: which exist from the start, which are derived from a group, which are legal.

/// The template for topics that are created on demand.
pub const AUTO_CREATE: &str = "TBW102";
/// Where delayed messages wait, one queue for each level.
pub const SCHEDULE: &str = "SCHEDULE_TOPIC_XXXX";
/// Where half messages of transactions wait for their decision.
pub const TRANS_HALF: &str = "RMQ_SYS_TRANS_HALF_TOPIC";
/// Where it is noted which half messages are decided.
pub const TRANS_OP_HALF: &str = "RMQ_SYS_TRANS_OP_HALF_TOPIC";
/// Where half messages end that nobody decided on.
pub const TRANS_CHECK_MAX_TIME: &str = "TRANS_CHECK_MAX_TIME_TOPIC";
/// Made for a broker that tests itself; nobody may send to it.
pub const SELF_TEST: &str = "SELF_TEST_TOPIC";
/// For benchmarks; present from the start.
pub const BENCHMARK: &str = "BenchmarkTest";
/// Where it is noted that a consumer was moved because its offset was out of range.
pub const OFFSET_MOVED_EVENT: &str = "OFFSET_MOVED_EVENT";
/// Where clients put message traces.
pub const TRACE: &str = "RMQ_SYS_TRACE_TOPIC";
/// Where messages with an arbitrary delivery time wait.
pub const TIMER: &str = "rmq_sys_wheel_timer";

/// Before a group: the topic of its retries.
pub const RETRY_PREFIX: &str = "%RETRY%";
/// Before a group: the topic of its dead letters.
pub const DLQ_PREFIX: &str = "%DLQ%";
/// Behind a cluster's name: the topic of replies to requests.
pub const REPLY_SUFFIX: &str = "_REPLY_TOPIC";
/// What other topics of the broker's own begin with.
pub const SYSTEM_PREFIX: &str = "rmq_sys_";

/// The longest topic that producers may send to, in bytes (all legal ones are ASCII).
pub const LEN_MAX: usize = 127;

/// Topics of the broker's own that always exist or are made when first needed.
const SYSTEM: [&str; 9] = [
    AUTO_CREATE,
    SCHEDULE,
    BENCHMARK,
    TRANS_HALF,
    TRANS_OP_HALF,
    TRANS_CHECK_MAX_TIME,
    SELF_TEST,
    OFFSET_MOVED_EVENT,
    TRACE,
];

/// Why a name is no topic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// It is empty or white space.
    #[error("the topic is blank; name one")]
    Blank,
    /// It is longer than [`LEN_MAX`].
    #[error("the topic has {len} bytes; at most {LEN_MAX} are allowed")]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// It holds a character that is not allowed.
    #[error("the topic holds {character:?}; allowed are %, |, letters, digits, _ and -")]
    Character {
        /// The first such character.
        character: char,
    },
}

/// The topic of `group`'s retries.
pub fn retry(group: &str) -> String {
    format!("{RETRY_PREFIX}{group}")
}

/// The topic of `group`'s dead letters.
pub fn dead_letter(group: &str) -> String {
    format!("{DLQ_PREFIX}{group}")
}

/// The topic of replies within `cluster`.
pub fn reply(cluster: &str) -> String {
    format!("{cluster}{REPLY_SUFFIX}")
}

/// Whether `topic` holds some group's retries.
pub fn is_retry(topic: &str) -> bool {
    topic.starts_with(RETRY_PREFIX)
}

/// Whether `topic` holds some group's dead letters.
pub fn is_dead_letter(topic: &str) -> bool {
    topic.starts_with(DLQ_PREFIX)
}

/// Checks a name as the broker does before it stores to it.
///
/// # Errors
/// What is wrong with it.
pub fn validate(topic: &str) -> Result<(), TopicError> {
    if topic.trim().is_empty() {
        return Err(TopicError::Blank);
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '%' | '|' | '_' | '-');
    if let Some(character) = topic.chars().find(|c| !allowed(*c)) {
        return Err(TopicError::Character { character });
    }
    if topic.len() > LEN_MAX {
        return Err(TopicError::TooLong { len: topic.len() });
    }
    Ok(())
}

/// Whether `topic` is the broker's own and users may neither create nor delete it.
pub fn is_system(topic: &str) -> bool {
    SYSTEM.contains(&topic) || topic.starts_with(SYSTEM_PREFIX)
}

/// Whether producers must not send to `topic`, because only the broker writes there.
pub fn is_closed_to_producers(topic: &str) -> bool {
    const CLOSED: [&str; 6] =
        [SCHEDULE, TRANS_HALF, TRANS_OP_HALF, TRANS_CHECK_MAX_TIME, SELF_TEST, OFFSET_MOVED_EVENT];
    CLOSED.contains(&topic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_topics_carry_their_group() {
        assert_eq!(retry("g"), "%RETRY%g");
        assert_eq!(dead_letter("g"), "%DLQ%g");
        assert_eq!(reply("c"), "c_REPLY_TOPIC");
        assert!(is_retry("%RETRY%g") && !is_retry("%DLQ%g"));
        assert!(is_dead_letter("%DLQ%g") && !is_dead_letter("RETRY"));
    }

    #[test]
    fn names_are_checked_as_the_broker_of_4_9_does() {
        assert_eq!(validate("%RETRY%a-b_c|9"), Ok(()));
        assert_eq!(validate(&"a".repeat(127)), Ok(()));
        assert_eq!(validate(&"a".repeat(128)), Err(TopicError::TooLong { len: 128 }));
        assert_eq!(validate(" "), Err(TopicError::Blank));
        assert_eq!(validate(""), Err(TopicError::Blank));
        assert_eq!(validate("a.b"), Err(TopicError::Character { character: '.' }));
        assert_eq!(validate("日"), Err(TopicError::Character { character: '日' }));
    }

    #[test]
    fn the_brokers_own_topics_are_known() {
        assert!(is_system("TBW102") && is_system("rmq_sys_anything") && !is_system("TopicA"));
        assert!(is_closed_to_producers(SCHEDULE) && !is_closed_to_producers(AUTO_CREATE));
    }
}
