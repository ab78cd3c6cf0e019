//! Topics of a broker: codes 17, 202, 215, 351.

use crate::command_header::command_header;

command_header! {
    /// Creates or changes a topic.
    CreateTopicRequestHeader {
        /// The topic.
        topic: String = "topic",
        /// The template's name; of no effect.
        default_topic: String = "defaultTopic",
        /// Queues to read from.
        read_queue_nums: i32 = "readQueueNums",
        /// Queues to write to.
        write_queue_nums: i32 = "writeQueueNums",
        /// Bits, see `message::permission`.
        perm: i32 = "perm",
        /// `SINGLE_TAG` or `MULTI_TAG`.
        topic_filter_type: String = "topicFilterType",
        /// Unit bits.
        topic_sys_flag: Option<i32> = "topicSysFlag",
        /// Whether order matters; 4.9 ignores it.
        order: bool = "order" or false,
        /// 5.x: `+k=v,-k2`.
        attributes: Option<String> = "attributes",
        /// 5.x: even over a static topic.
        force: Option<bool> = "force",
    }
}

command_header! {
    /// Drops a topic.
    DeleteTopicRequestHeader {
        /// The topic.
        topic: String = "topic",
    }
}

command_header! {
    /// Names a topic: GET_TOPIC_STATS_INFO and GET_TOPIC_CONFIG.
    TopicRequestHeader {
        /// The topic.
        topic: String = "topic",
    }
}
