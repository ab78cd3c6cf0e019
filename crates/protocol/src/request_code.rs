//! What a command asks for: every request code of 4.9.8 and 5.3.3 (reference protocol.md §2.1).

use std::fmt;

/// The number of a request. Any `i32` is a value; only those of the table have a name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RequestCode(pub i32);

/// Declares the constants and the name table from one list, so that they cannot drift.
macro_rules! request_codes {
    ($($name:ident = $number:literal, $meaning:literal;)*) => {
        impl RequestCode {
            $(
                #[doc = $meaning]
                pub const $name: Self = Self($number);
            )*

            /// Every code that has a name, in ascending order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// RocketMQ's name of the code; `None` for a number outside the table.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

request_codes! {
    SEND_MESSAGE = 10, "Producer to broker: one message, long header names.";
    PULL_MESSAGE = 11, "Consumer to broker: messages of one queue from an offset on.";
    QUERY_MESSAGE = 12, "Client to broker: messages by key from the index.";
    QUERY_BROKER_OFFSET = 13, "Dead number without a handler.";
    QUERY_CONSUMER_OFFSET = 14, "Consumer to broker: a group's committed offset of a queue.";
    UPDATE_CONSUMER_OFFSET = 15, "Consumer to broker, mostly oneway: commit an offset.";
    UPDATE_AND_CREATE_TOPIC = 17, "Admin to broker: create or change a topic.";
    UPDATE_AND_CREATE_TOPIC_LIST = 18, "Admin to broker (5.3+): create or change topics.";
    GET_ALL_TOPIC_CONFIG = 21, "Admin or slave to broker: the whole topic table.";
    UPDATE_BROKER_CONFIG = 25, "Admin to broker: `k=v` lines of configuration.";
    GET_BROKER_CONFIG = 26, "Admin to broker: its configuration as `k=v` lines.";
    GET_BROKER_RUNTIME_INFO = 28, "Admin to broker: figures of the running broker.";
    SEARCH_OFFSET_BY_TIMESTAMP = 29, "Client to broker: the offset stored at a time.";
    GET_MAX_OFFSET = 30, "Client to broker: one past the last offset of a queue.";
    GET_MIN_OFFSET = 31, "Client to broker: the first offset of a queue.";
    GET_EARLIEST_MSG_STORETIME = 32, "Client to broker: store time of a queue's first message.";
    VIEW_MESSAGE_BY_ID = 33, "Client to broker: the message at a physical offset.";
    HEART_BEAT = 34, "Client to broker: who I am, what my groups subscribe to.";
    UNREGISTER_CLIENT = 35, "Client to broker: a group member leaves.";
    CONSUMER_SEND_MSG_BACK = 36, "Consumer to broker: this message again later.";
    END_TRANSACTION = 37, "Producer to broker, oneway: commit or roll back a half message.";
    GET_CONSUMER_LIST_BY_GROUP = 38, "Consumer to broker: the ids of a group's members.";
    CHECK_TRANSACTION_STATE = 39, "Broker to producer, oneway: what became of this half message?";
    NOTIFY_CONSUMER_IDS_CHANGED = 40, "Broker to consumer, oneway: membership changed, rebalance.";
    LOCK_BATCH_MQ = 41, "Consumer to broker: lock queues for orderly consumption.";
    UNLOCK_BATCH_MQ = 42, "Consumer to broker: release such locks.";
    GET_ALL_CONSUMER_OFFSET = 43, "Slave to broker: every committed offset.";
    GET_ALL_DELAY_OFFSET = 45, "Slave to broker: progress of the delay levels.";
    CHECK_CLIENT_CONFIG = 46, "Consumer to broker: is this filter expression valid?";
    GET_CLIENT_CONFIG = 47, "Dead number without a handler (5.x).";
    UPDATE_AND_CREATE_ACL_CONFIG = 50, "Admin to broker (until 5.3.2): an account.";
    DELETE_ACL_CONFIG = 51, "Admin to broker (until 5.3.2): drop an account.";
    GET_BROKER_CLUSTER_ACL_INFO = 52, "Admin to broker (until 5.3.2): version of its accounts.";
    UPDATE_GLOBAL_WHITE_ADDRS_CONFIG = 53, "Admin to broker (until 5.3.2): trusted addresses.";
    GET_BROKER_CLUSTER_ACL_CONFIG = 54, "Admin to broker (until 5.3.2): all accounts.";
    GET_TIMER_CHECK_POINT = 60, "Slave to broker (5.x): progress of the timer.";
    GET_TIMER_METRICS = 61, "Slave to broker (5.x): counters of the timer.";
    PUT_KV_CONFIG = 100, "Admin to namesrv: set a key of a namespace.";
    GET_KV_CONFIG = 101, "Admin to namesrv: read a key of a namespace.";
    DELETE_KV_CONFIG = 102, "Admin to namesrv: drop a key of a namespace.";
    REGISTER_BROKER = 103, "Broker to namesrv: I live, and these are my topics.";
    UNREGISTER_BROKER = 104, "Broker to namesrv: I leave.";
    GET_ROUTEINFO_BY_TOPIC = 105, "Client to namesrv: who serves a topic?";
    GET_BROKER_CLUSTER_INFO = 106, "Admin to namesrv: all clusters and brokers.";
    UPDATE_AND_CREATE_SUBSCRIPTIONGROUP = 200, "Admin to broker: create or change a group.";
    GET_ALL_SUBSCRIPTIONGROUP_CONFIG = 201, "Admin or slave to broker: the whole group table.";
    GET_TOPIC_STATS_INFO = 202, "Admin to broker: offsets of a topic's queues.";
    GET_CONSUMER_CONNECTION_LIST = 203, "Admin to broker: live members of a consumer group.";
    GET_PRODUCER_CONNECTION_LIST = 204, "Admin to broker: live members of a producer group.";
    WIPE_WRITE_PERM_OF_BROKER = 205, "Admin to namesrv: stop sends to a broker.";
    GET_ALL_TOPIC_LIST_FROM_NAMESERVER = 206, "Client to namesrv: all topic names.";
    DELETE_SUBSCRIPTIONGROUP = 207, "Admin to broker: drop a group.";
    GET_CONSUME_STATS = 208, "Admin to broker: how far a group lags.";
    DELETE_TOPIC_IN_BROKER = 215, "Admin to broker: drop a topic.";
    DELETE_TOPIC_IN_NAMESRV = 216, "Admin to namesrv: forget a topic.";
    REGISTER_TOPIC_IN_NAMESRV = 217, "Broker to namesrv (5.x); another meaning in old ali-ons.";
    GET_KVLIST_BY_NAMESPACE = 219, "Admin to namesrv: all keys of a namespace.";
    RESET_CONSUMER_CLIENT_OFFSET = 220, "Broker to consumer: jump to these offsets.";
    GET_CONSUMER_STATUS_FROM_CLIENT = 221, "Broker to consumer: where are you?";
    INVOKE_BROKER_TO_RESET_OFFSET = 222, "Admin to broker: rewind a group.";
    INVOKE_BROKER_TO_GET_CONSUMER_STATUS = 223, "Admin to broker: ask a group's members with 221.";
    GET_TOPICS_BY_CLUSTER = 224, "Admin to namesrv: topics of a cluster.";
    UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST = 225, "Admin to broker (5.3.1+): several groups.";
    QUERY_TOPIC_CONSUME_BY_WHO = 300, "Admin to broker: groups that consume a topic.";
    REGISTER_FILTER_SERVER = 301, "Removed feature.";
    REGISTER_MESSAGE_FILTER_CLASS = 302, "Removed feature.";
    QUERY_CONSUME_TIME_SPAN = 303, "Admin to broker: times a group's consumption spans.";
    GET_SYSTEM_TOPIC_LIST_FROM_NS = 304, "Admin to namesrv: cluster and broker names as topics.";
    GET_SYSTEM_TOPIC_LIST_FROM_BROKER = 305, "Admin to broker: its own topics.";
    CLEAN_EXPIRED_CONSUMEQUEUE = 306, "Admin to broker: drop entries of deleted messages.";
    GET_CONSUMER_RUNNING_INFO = 307, "Admin to broker to consumer: its inner state.";
    QUERY_CORRECTION_OFFSET = 308, "Admin to broker: least offsets of other groups.";
    CONSUME_MESSAGE_DIRECTLY = 309, "Admin to broker to consumer: consume this one now.";
    SEND_MESSAGE_V2 = 310, "Producer to broker: one message, one-letter header names.";
    GET_UNIT_TOPIC_LIST = 311, "Admin to namesrv: topics with the unit flag.";
    GET_HAS_UNIT_SUB_TOPIC_LIST = 312, "Admin to namesrv: topics with unit subscriptions.";
    GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST = 313, "Admin to namesrv: those that are not units.";
    CLONE_GROUP_OFFSET = 314, "Admin to broker: copy a group's offsets to another group.";
    VIEW_BROKER_STATS_DATA = 315, "Admin to broker: one statistics item.";
    CLEAN_UNUSED_TOPIC = 316, "Admin to broker: drop queues of unknown topics.";
    GET_BROKER_CONSUME_STATS = 317, "Admin to broker: lag of all groups.";
    UPDATE_NAMESRV_CONFIG = 318, "Admin to namesrv: `k=v` lines of configuration.";
    GET_NAMESRV_CONFIG = 319, "Admin to namesrv: its configuration as `k=v` lines.";
    SEND_BATCH_MESSAGE = 320, "Producer to broker: many messages in a body, one-letter names.";
    QUERY_CONSUME_QUEUE = 321, "Admin to broker: entries of a consume queue.";
    QUERY_DATA_VERSION = 322, "Broker to namesrv: do you know my newest topic table?";
    RESUME_CHECK_HALF_MESSAGE = 323, "Admin to broker: check a given-up half message again.";
    SEND_REPLY_MESSAGE = 324, "Consumer to broker: answer of a request message, long names.";
    SEND_REPLY_MESSAGE_V2 = 325, "Consumer to broker: the same, one-letter names.";
    PUSH_REPLY_MESSAGE_TO_CLIENT = 326, "Broker to producer: the answer to its request message.";
    ADD_WRITE_PERM_OF_BROKER = 327, "Admin to namesrv: allow sends to a broker again.";
    GET_ALL_PRODUCER_INFO = 328, "Admin to broker: all producers.";
    DELETE_EXPIRED_COMMITLOG = 329, "Admin to broker: delete old segments now.";
    QUERY_TOPICS_BY_CONSUMER = 343, "Admin to broker (5.x): topics of a group.";
    QUERY_SUBSCRIPTION_BY_CONSUMER = 345, "Admin to broker (5.x): a group's subscription.";
    GET_TOPIC_CONFIG = 351, "Admin to broker (5.x): one topic's configuration.";
    GET_SUBSCRIPTIONGROUP_CONFIG = 352, "Admin to broker (5.x): one group's configuration.";
    UPDATE_AND_GET_GROUP_FORBIDDEN = 353, "Admin to broker (5.x): forbid a group a topic.";
    CHECK_ROCKSDB_CQ_WRITE_PROGRESS = 354, "Admin to broker (5.3).";
    EXPORT_ROCKSDB_CONFIG_TO_JSON = 355, "Admin to broker (5.3).";
    LITE_PULL_MESSAGE = 361, "Lite pull consumer to broker (5.x): as PULL_MESSAGE.";
    RECALL_MESSAGE = 370, "Producer to broker (5.3.2+): take a delayed message back.";
    QUERY_ASSIGNMENT = 400, "Consumer to broker (5.x): queues assigned by the broker.";
    SET_MESSAGE_REQUEST_MODE = 401, "Admin to broker (5.x): pull or pop.";
    GET_ALL_MESSAGE_REQUEST_MODE = 402, "Slave to broker (5.x): all such modes.";
    UPDATE_AND_CREATE_STATIC_TOPIC = 513, "Admin to broker (5.x): a static topic.";
    GET_BROKER_MEMBER_GROUP = 901, "Broker to namesrv (5.x): members of a broker name.";
    ADD_BROKER = 902, "Admin to broker container (5.x).";
    REMOVE_BROKER = 903, "Admin to broker container (5.x).";
    BROKER_HEARTBEAT = 904, "Broker to namesrv (5.x): light sign of life.";
    NOTIFY_MIN_BROKER_ID_CHANGE = 905, "Namesrv to broker (5.x).";
    EXCHANGE_BROKER_HA_INFO = 906, "Broker to broker (5.x).";
    GET_BROKER_HA_STATUS = 907, "Admin to broker (5.x): replication state.";
    RESET_MASTER_FLUSH_OFFSET = 908, "Admin to broker (5.x).";
    CONTROLLER_ALTER_SYNC_STATE_SET = 1001, "Broker to controller (5.x).";
    CONTROLLER_ELECT_MASTER = 1002, "Admin to controller (5.x).";
    CONTROLLER_REGISTER_BROKER = 1003, "Broker to controller (5.x).";
    CONTROLLER_GET_REPLICA_INFO = 1004, "Broker to controller (5.x).";
    CONTROLLER_GET_METADATA_INFO = 1005, "Admin to controller (5.x).";
    CONTROLLER_GET_SYNC_STATE_DATA = 1006, "Admin to controller (5.x).";
    GET_BROKER_EPOCH_CACHE = 1007, "Admin to broker (5.x).";
    NOTIFY_BROKER_ROLE_CHANGED = 1008, "Controller to broker (5.x).";
    UPDATE_CONTROLLER_CONFIG = 1009, "Admin to controller (5.x).";
    GET_CONTROLLER_CONFIG = 1010, "Admin to controller (5.x).";
    CLEAN_BROKER_DATA = 1011, "Admin to controller (5.x).";
    CONTROLLER_GET_NEXT_BROKER_ID = 1012, "Broker to controller (5.x).";
    CONTROLLER_APPLY_BROKER_ID = 1013, "Broker to controller (5.x).";
    UPDATE_COLD_DATA_FLOW_CTR_CONFIG = 2001, "Admin to broker (5.1+).";
    REMOVE_COLD_DATA_FLOW_CTR_CONFIG = 2002, "Admin to broker (5.1+).";
    GET_COLD_DATA_FLOW_CTR_INFO = 2003, "Admin to broker (5.1+).";
    SET_COMMITLOG_READ_MODE = 2004, "Admin to broker (5.1+).";
    AUTH_CREATE_USER = 3001, "Admin to broker (5.3+).";
    AUTH_UPDATE_USER = 3002, "Admin to broker (5.3+).";
    AUTH_DELETE_USER = 3003, "Admin to broker (5.3+).";
    AUTH_GET_USER = 3004, "Admin to broker (5.3+).";
    AUTH_LIST_USER = 3005, "Admin to broker (5.3+).";
    AUTH_CREATE_ACL = 3006, "Admin to broker (5.3+).";
    AUTH_UPDATE_ACL = 3007, "Admin to broker (5.3+).";
    AUTH_DELETE_ACL = 3008, "Admin to broker (5.3+).";
    AUTH_GET_ACL = 3009, "Admin to broker (5.3+).";
    AUTH_LIST_ACL = 3010, "Admin to broker (5.3+).";
    POP_MESSAGE = 200_050, "Consumer to broker (5.x): messages made invisible for a while.";
    ACK_MESSAGE = 200_051, "Consumer to broker (5.x): a popped message is done.";
    PEEK_MESSAGE = 200_052, "Proxy to broker (5.x).";
    CHANGE_MESSAGE_INVISIBLETIME = 200_053, "Consumer to broker (5.x): invisible for longer.";
    NOTIFICATION = 200_054, "Proxy to broker (5.x).";
    POLLING_INFO = 200_055, "Proxy to broker (5.x).";
    POP_ROLLBACK = 200_056, "Admin to broker (5.3.2+).";
    BATCH_ACK_MESSAGE = 200_151, "Consumer to broker (5.1+): many acknowledgements.";
}

impl fmt::Display for RequestCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name}({})", self.0),
            None => write!(f, "request {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RequestCode;

    #[test]
    fn the_table_is_ascending_and_every_code_has_its_name() {
        assert!(RequestCode::ALL.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(RequestCode::ALL.iter().all(|code| code.name().is_some()));
        assert_eq!(RequestCode::SEND_MESSAGE_V2.to_string(), "SEND_MESSAGE_V2(310)");
        assert_eq!(RequestCode(9_999).to_string(), "request 9999");
    }
}
