//! UPDATE_AND_CREATE_TOPIC (17) and GET_ALL_TOPIC_CONFIG (21).

use std::time::Duration;

use message::topic;
use protocol::body::TopicConfig;
use protocol::header::CreateTopicRequestHeader;
use protocol::{RemotingCommand, ResponseCode};
use remoting::Reply;

use super::answer::{Answer, success};
use crate::refusal::Refusal;
use crate::state::State;

/// How long the answer waits for name servers that do not answer; tools wait 5 s for it.
const REGISTRATION_WAIT_MAX: Duration = Duration::from_secs(2);

/// The most queues a topic may have: RocketMQ's own largest topic has 1,024.
const QUEUE_NUMS_MAX: u32 = 16_384;

/// Creates or changes a topic: durable, and known to the name servers that can be reached, when
/// the answer leaves, because tools ask for the route at once.
pub(crate) async fn serve(state: &State, request: &RemotingCommand) -> Answer {
    let header: CreateTopicRequestHeader = request.header()?;
    state.tables.put_topic(wanted(header)?).await?;
    let changes = state.tables.topics_changed().reached();
    let all = async {
        for registered in &state.registered {
            // Closed only at the end of the broker.
            let _ = registered.wait(changes).await;
        }
    };
    let in_time = state.clock.timeout(REGISTRATION_WAIT_MAX, all).await;
    if in_time.is_err() {
        tracing::warn!("a name server has not heard of a topic change yet");
    }
    Ok(success(request).into())
}

/// The settings asked for, if a topic can have them.
fn wanted(header: CreateTopicRequestHeader) -> Result<TopicConfig, Refusal> {
    let error = |remark: String| Refusal::new(ResponseCode::SYSTEM_ERROR, remark);
    topic::validate(&header.topic).map_err(|cause| error(cause.to_string()))?;
    if topic::is_system(&header.topic) {
        return Err(error(format!("The topic[{}] is conflict with system topic.", header.topic)));
    }
    let number = |name: &str, value: i32| {
        u32::try_from(value)
            .ok()
            .filter(|number| *number <= QUEUE_NUMS_MAX)
            .ok_or_else(|| error(format!("{name} is {value}; send 0 to {QUEUE_NUMS_MAX}")))
    };
    Ok(TopicConfig {
        read_queue_nums: number("readQueueNums", header.read_queue_nums)?,
        write_queue_nums: number("writeQueueNums", header.write_queue_nums)?,
        perm: number("perm", header.perm)?,
        topic_sys_flag: number("topicSysFlag", header.topic_sys_flag.unwrap_or(0))?,
        topic_filter_type: header.topic_filter_type,
        topic_name: header.topic,
        ..TopicConfig::default()
    })
}

/// All topics.
pub(crate) fn all(state: &State, request: &RemotingCommand) -> Reply {
    success(request).with_body(state.tables.topics().to_wrapper().encode()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(topic: &str, queue_nums: i32) -> CreateTopicRequestHeader {
        CreateTopicRequestHeader {
            topic: topic.into(),
            read_queue_nums: queue_nums,
            write_queue_nums: queue_nums,
            perm: 6,
            topic_filter_type: "SINGLE_TAG".into(),
            ..CreateTopicRequestHeader::default()
        }
    }

    #[test]
    fn a_topic_gets_what_was_asked_for() {
        let topic = wanted(header("T", 3)).expect("it is ordinary");
        assert_eq!((topic.topic_name.as_str(), topic.write_queue_nums, topic.perm), ("T", 3, 6));
    }

    #[test]
    fn system_topics_bad_names_and_absurd_numbers_are_refused() {
        for refused in
            [header("TBW102", 3), header("a b", 3), header("T", -1), header("T", 1 << 20)]
        {
            let refusal = wanted(refused).expect_err("it must be refused");
            assert_eq!(refusal.code, ResponseCode::SYSTEM_ERROR);
        }
    }
}
