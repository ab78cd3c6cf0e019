//! Rewinding a group: codes 220 and 222.

use crate::command_header::command_header;

command_header! {
    /// The group, and the time to go back to.
    ResetOffsetRequestHeader {
        /// The topic.
        topic: String = "topic",
        /// The consumer group.
        group: String = "group",
        /// In ms; -1: to the end.
        timestamp: i64 = "timestamp",
        /// Also forward; else only back.
        is_force: bool = "isForce" or false,
        /// 5.x: that queue only, -1 all.
        queue_id: Option<i32> = "queueId",
        /// 5.x: to that offset, -1 by time.
        offset: Option<i64> = "offset",
    }
}
