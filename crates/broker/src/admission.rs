//! Whether a send is taken, decided from what is known: pure.
//!
//! The order of the checks and their codes are RocketMQ's (protocol.md §2.3), so that a client
//! draws the same conclusions. What this form of the broker cannot do (delay, transactions) is
//! refused by name: storing it as an ordinary message would deliver it at once.

use message::{SysFlag, TransactionType, permission, property, topic};
use protocol::ResponseCode;
use protocol::body::TopicConfig;

use crate::config::BrokerConfig;
use crate::properties::Asked;
use crate::refusal::Refusal;

/// Behind a remark, where RocketMQ points to its pages.
pub(crate) const SEE_FAQ: &str = "\nSee http://rocketmq.apache.org/docs/faq/ for further details.";

/// Whether a topic of this name may be sent to at all.
pub(crate) fn check_name(name: &str) -> Result<(), Refusal> {
    topic::validate(name)
        .map_err(|error| Refusal::new(ResponseCode::SYSTEM_ERROR, error.to_string()))?;
    if topic::is_closed_to_producers(name) {
        let remark = format!("Sending message to topic[{name}] is forbidden.");
        return Err(Refusal::new(ResponseCode::NO_PERMISSION, remark));
    }
    Ok(())
}

/// Whether the broker and the topic let a producer write.
pub(crate) fn check_permission(config: &BrokerConfig, topic: &TopicConfig) -> Result<(), Refusal> {
    if !permission::is_writable(config.permission) {
        let remark = format!("the broker[{}] sending message is forbidden", config.name);
        return Err(Refusal::new(ResponseCode::NO_PERMISSION, remark));
    }
    if !permission::is_writable(topic.perm) {
        let remark = format!("the topic[{}] sending message is forbidden", topic.topic_name);
        return Err(Refusal::new(ResponseCode::NO_PERMISSION, remark));
    }
    Ok(())
}

/// The queue asked for, if the topic has it; `None` when the broker may choose.
pub(crate) fn check_queue(topic: &TopicConfig, queue_id: i32) -> Result<Option<u32>, Refusal> {
    let Ok(queue_id) = u32::try_from(queue_id) else { return Ok(None) };
    if queue_id < queue_nums(topic) {
        return Ok(Some(queue_id));
    }
    let remark = format!(
        "request queueId[{queue_id}] is illegal, topic {} has {} to write and {} to read",
        topic.topic_name, topic.write_queue_nums, topic.read_queue_nums
    );
    Err(Refusal::new(ResponseCode::SYSTEM_ERROR, remark))
}

/// The queues that a producer may name: those to write and, as in RocketMQ, those only to read.
pub(crate) fn queue_nums(topic: &TopicConfig) -> u32 {
    topic.write_queue_nums.max(topic.read_queue_nums)
}

/// The answer to a send to a topic that there is not.
pub(crate) fn unknown_topic(name: &str) -> Refusal {
    let remark = format!("topic[{name}] not exist, apply first please!{SEE_FAQ}");
    Refusal::new(ResponseCode::TOPIC_NOT_EXIST, remark)
}

/// Whether body and properties are of a size that is stored.
pub(crate) fn check_size(
    config: &BrokerConfig,
    body_len: usize,
    properties_len: usize,
) -> Result<(), Refusal> {
    if body_len <= config.body_size_max && properties_len <= property::LEN_MAX {
        return Ok(());
    }
    let remark = format!(
        "the message is illegal, maybe msg body or properties length not matched. msg body length \
         limit {}, msg properties length limit 32k (they have {body_len} and {properties_len})",
        config.body_size_max
    );
    Err(Refusal::new(ResponseCode::MESSAGE_ILLEGAL, remark))
}

/// Whether the message is one that this form of the broker can store as what it is.
pub(crate) fn check_kind(asked: Asked, sys_flag: i32) -> Result<(), Refusal> {
    if asked.transactional || transaction_type(sys_flag) != TransactionType::None {
        let remark = "transactional messages are not supported yet by this broker; \
                      send an ordinary message";
        return Err(Refusal::new(ResponseCode::MESSAGE_ILLEGAL, remark));
    }
    if asked.delayed {
        let remark = "delayed messages are not supported yet by this broker; \
                      send without delay level or delivery time";
        return Err(Refusal::new(ResponseCode::MESSAGE_ILLEGAL, remark));
    }
    Ok(())
}

fn transaction_type(sys_flag: i32) -> TransactionType {
    SysFlag(sys_flag as u32).transaction()
}

#[cfg(test)]
mod tests {
    use store::StoreConfig;

    use super::*;
    use crate::topics::plain;

    fn config() -> BrokerConfig {
        BrokerConfig::new("b", StoreConfig::default())
    }

    fn code<T>(result: Result<T, Refusal>) -> Option<ResponseCode> {
        result.err().map(|refusal| refusal.code)
    }

    #[test]
    fn names_that_only_the_broker_writes_to_are_forbidden() {
        assert_eq!(code(check_name("T")), None);
        assert_eq!(code(check_name("")), Some(ResponseCode::SYSTEM_ERROR));
        assert_eq!(code(check_name("a/b")), Some(ResponseCode::SYSTEM_ERROR));
        assert_eq!(code(check_name(topic::SCHEDULE)), Some(ResponseCode::NO_PERMISSION));
    }

    #[test]
    fn broker_and_topic_must_both_allow_writing() {
        let forbidden = Some(ResponseCode::NO_PERMISSION);
        assert_eq!(code(check_permission(&config(), &plain("T", 4, 6))), None);
        assert_eq!(code(check_permission(&config(), &plain("T", 4, 4))), forbidden);
        let read_only = BrokerConfig { permission: 4, ..config() };
        assert_eq!(code(check_permission(&read_only, &plain("T", 4, 6))), forbidden);
    }

    #[test]
    fn a_queue_out_of_range_is_refused_and_a_negative_one_left_to_the_broker() {
        let topic = plain("T", 4, 6);
        assert_eq!(check_queue(&topic, 3), Ok(Some(3)));
        assert_eq!(check_queue(&topic, -1), Ok(None));
        assert_eq!(code(check_queue(&topic, 4)), Some(ResponseCode::SYSTEM_ERROR));
    }

    #[test]
    fn sizes_are_bounded_to_the_byte() {
        let illegal = Some(ResponseCode::MESSAGE_ILLEGAL);
        assert_eq!(code(check_size(&config(), 4 << 20, 32_767)), None);
        assert_eq!(code(check_size(&config(), (4 << 20) + 1, 0)), illegal);
        assert_eq!(code(check_size(&config(), 0, 32_768)), illegal);
    }

    #[test]
    fn what_would_be_delivered_at_a_wrong_time_is_refused() {
        let illegal = Some(ResponseCode::MESSAGE_ILLEGAL);
        let ordinary = Asked { no_wait: true, ..Asked::default() };
        assert_eq!(code(check_kind(ordinary, 0x301)), None);
        assert_eq!(code(check_kind(Asked { delayed: true, ..ordinary }, 0)), illegal);
        assert_eq!(code(check_kind(Asked { transactional: true, ..ordinary }, 0)), illegal);
        for prepared_or_later in [0x4, 0x8, 0xC] {
            assert_eq!(code(check_kind(ordinary, prepared_or_later)), illegal);
        }
    }
}
