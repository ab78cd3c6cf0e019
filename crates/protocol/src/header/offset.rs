//! Offsets of queues and of groups: codes 14, 15, 29, 30, 31, 32.

use crate::command_header::command_header;

command_header! {
    /// A group's committed offset of a queue.
    QueryConsumerOffsetRequestHeader {
        /// The consumer group.
        consumer_group: String = "consumerGroup",
        /// The topic.
        topic: String = "topic",
        /// The queue.
        queue_id: i32 = "queueId",
        /// 5.x: answer 0 instead of "none".
        set_zero_if_not_found: Option<bool> = "setZeroIfNotFound",
        /// The broker that the client believes it talks to (since 4.9.5).
        broker_name: Option<String> = "bname",
    }
}

command_header! {
    /// The committed offset.
    QueryConsumerOffsetResponseHeader {
        /// The offset.
        offset: i64 = "offset",
    }
}

command_header! {
    /// Commits a group's offset of a queue.
    UpdateConsumerOffsetRequestHeader {
        /// The consumer group.
        consumer_group: String = "consumerGroup",
        /// The topic.
        topic: String = "topic",
        /// The queue.
        queue_id: i32 = "queueId",
        /// The next offset to consume.
        commit_offset: i64 = "commitOffset",
        /// The broker that the client believes it talks to (since 4.9.5).
        broker_name: Option<String> = "bname",
    }
}

command_header! {
    /// The offset of the first message stored at or after a time.
    SearchOffsetRequestHeader {
        /// The topic.
        topic: String = "topic",
        /// The queue.
        queue_id: i32 = "queueId",
        /// The time, in ms.
        timestamp: i64 = "timestamp",
        /// 5.x: `LOWER` (the default) or `UPPER`.
        boundary_type: Option<String> = "boundaryType",
        /// The broker that the client believes it talks to (since 4.9.5).
        broker_name: Option<String> = "bname",
    }
}

command_header! {
    /// The offset found; 0 for an unknown queue.
    SearchOffsetResponseHeader {
        /// The offset.
        offset: i64 = "offset",
    }
}

command_header! {
    /// One past the last offset of a queue.
    GetMaxOffsetRequestHeader {
        /// The topic.
        topic: String = "topic",
        /// The queue.
        queue_id: i32 = "queueId",
        /// 5.x: only what is committed.
        committed: Option<bool> = "committed",
        /// The broker that the client believes it talks to (since 4.9.5).
        broker_name: Option<String> = "bname",
    }
}

command_header! {
    /// That offset; 0 for an unknown queue.
    GetMaxOffsetResponseHeader {
        /// The offset.
        offset: i64 = "offset",
    }
}

command_header! {
    /// The first offset of a queue.
    GetMinOffsetRequestHeader {
        /// The topic.
        topic: String = "topic",
        /// The queue.
        queue_id: i32 = "queueId",
        /// The broker that the client believes it talks to (since 4.9.5).
        broker_name: Option<String> = "bname",
    }
}

command_header! {
    /// That offset; 0 for an unknown queue.
    GetMinOffsetResponseHeader {
        /// The offset.
        offset: i64 = "offset",
    }
}

command_header! {
    /// When the first message of a queue was stored.
    GetEarliestMsgStoreTimeRequestHeader {
        /// The topic.
        topic: String = "topic",
        /// The queue.
        queue_id: i32 = "queueId",
        /// The broker that the client believes it talks to (since 4.9.5).
        broker_name: Option<String> = "bname",
    }
}

command_header! {
    /// That time.
    GetEarliestMsgStoreTimeResponseHeader {
        /// In ms; -1 if the queue has no message.
        timestamp: i64 = "timestamp",
    }
}
