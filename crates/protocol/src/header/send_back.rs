//! CONSUMER_SEND_MSG_BACK (36).

use crate::command_header::command_header;

command_header! {
    /// A message that a consumer failed on, to be delivered again later.
    ConsumerSendMsgBackRequestHeader {
        /// Its physical offset.
        offset: i64 = "offset",
        /// The consumer group.
        group: String = "group",
        /// 0: by the number of failures; negative: to the dead letters; else that level.
        delay_level: i32 = "delayLevel",
        /// Its offset message id.
        origin_msg_id: Option<String> = "originMsgId",
        /// The topic it was consumed from.
        origin_topic: Option<String> = "originTopic",
        /// Whether the consumer is of a unit.
        unit_mode: bool = "unitMode" or false,
        /// After how many failures it is a dead letter; counts from clients of 3.4.9 on.
        max_reconsume_times: Option<i32> = "maxReconsumeTimes",
        /// The broker that the client believes it talks to (since 4.9.5).
        broker_name: Option<String> = "bname",
    }
}
