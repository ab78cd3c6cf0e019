//! PULL_MESSAGE (11) and LITE_PULL_MESSAGE (361), which are alike.

use crate::command_header::command_header;

command_header! {
    /// Messages of one queue from an offset on.
    PullMessageRequestHeader {
        /// The consumer group.
        consumer_group: String = "consumerGroup",
        /// The topic.
        topic: String = "topic",
        /// The queue.
        queue_id: i32 = "queueId",
        /// The first wanted offset.
        queue_offset: i64 = "queueOffset",
        /// The most messages wanted.
        max_msg_nums: i32 = "maxMsgNums",
        /// Bits: 1 commitOffset is valid, 2 may be held, 4 the subscription is inline,
        /// 16 lite pull.
        sys_flag: i32 = "sysFlag",
        /// The offset to commit on the way.
        commit_offset: i64 = "commitOffset",
        /// How long the request may be held.
        suspend_timeout_millis: i64 = "suspendTimeoutMillis",
        /// The inline filter expression.
        subscription: Option<String> = "subscription",
        /// The version of the subscription, in ms.
        sub_version: i64 = "subVersion",
        /// `TAG` (also when missing or empty) or `SQL92`.
        expression_type: Option<String> = "expressionType",
        /// The most bytes wanted (5.x).
        max_msg_bytes: Option<i32> = "maxMsgBytes",
        /// The broker that the client believes it talks to (since 4.9.5).
        broker_name: Option<String> = "bname",
    }
}

command_header! {
    /// Where to go on. All four go with 19, 20 and 21 too: Java unboxes them unasked.
    PullMessageResponseHeader {
        /// The broker id to pull from next: 0 the master.
        suggest_which_broker_id: i64 = "suggestWhichBrokerId",
        /// The offset to pull next.
        next_begin_offset: i64 = "nextBeginOffset",
        /// The first offset of the queue.
        min_offset: i64 = "minOffset",
        /// One past the last offset of the queue.
        max_offset: i64 = "maxOffset",
    }
}
