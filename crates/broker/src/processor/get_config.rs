//! GET_BROKER_CONFIG (26): the settings in force, under RocketMQ's names.

use protocol::RemotingCommand;
use store::FlushMode;

use super::answer::{Answer, success};
use crate::config::BrokerConfig;
use crate::state::State;

/// Lists them as `name=value` lines.
pub(crate) fn serve(state: &State, request: &RemotingCommand) -> Answer {
    let mut reply = success(request).with_body(text(&state.config).into_bytes());
    let version = state.tables.topics().data_version().encode();
    reply.ext_fields.insert("version", String::from_utf8_lossy(&version));
    Ok(reply.into())
}

fn text(config: &BrokerConfig) -> String {
    let flush = match config.store.flush {
        FlushMode::Sync => "SYNC_FLUSH",
        FlushMode::Async => "ASYNC_FLUSH",
    };
    let settings: [(&str, String); 15] = [
        ("brokerName", config.name.clone()),
        ("brokerClusterName", config.cluster.clone()),
        ("brokerId", config.id.to_string()),
        ("brokerPermission", config.permission.to_string()),
        ("namesrvAddr", config.namesrv.join(";")),
        ("autoCreateTopicEnable", config.auto_create_topic.to_string()),
        ("autoCreateSubscriptionGroup", config.auto_create_group.to_string()),
        ("defaultTopicQueueNums", config.default_topic_queue_nums.to_string()),
        ("regionId", config.region.clone()),
        ("longPollingEnable", config.long_polling.to_string()),
        ("maxMessageSize", config.body_size_max.to_string()),
        ("flushDiskType", flush.to_owned()),
        ("syncFlushTimeout", config.sync_flush_timeout_ms.to_string()),
        ("mappedFileSizeCommitLog", config.store.segment_size.to_string()),
        ("storePathRootDir", config.store.root.clone()),
    ];
    settings.iter().map(|(name, value)| format!("{name}={value}\n")).collect()
}

#[cfg(test)]
mod tests {
    use store::StoreConfig;

    use super::*;

    #[test]
    fn settings_are_listed_one_a_line_under_their_rocketmq_names() {
        let text = text(&BrokerConfig::new("broker-a", StoreConfig::default()));
        assert!(text.contains("brokerName=broker-a\n"));
        assert!(text.contains("flushDiskType=ASYNC_FLUSH\n"));
        assert!(text.lines().all(|line| line.split_once('=').is_some()));
    }
}
