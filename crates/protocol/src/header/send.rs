//! SEND_MESSAGE (10), SEND_MESSAGE_V2 (310), SEND_BATCH_MESSAGE (320) and their answer.

use crate::command_header::{CommandHeader, FieldValue, HeaderError, command_header, read_or};
use crate::ext_fields::ExtFields;
use crate::request_code::RequestCode;

/// What a producer says of a message. Written with one-letter names, and with long ones for the
/// codes 10, 324 and 326; read from either.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SendMessageRequestHeader {
    /// The producer's group.
    pub producer_group: String,
    /// Where the message goes.
    pub topic: String,
    /// The topic whose configuration a new topic copies, normally `TBW102`.
    pub default_topic: String,
    /// How many queues the producer wants a new topic to have.
    pub default_topic_queue_nums: i32,
    /// The queue; negative: the broker chooses.
    pub queue_id: i32,
    /// Bits, see `message::SysFlag`.
    pub sys_flag: i32,
    /// When the message was made, in ms.
    pub born_timestamp: i64,
    /// The user's own flag.
    pub flag: i32,
    /// Encoded properties; none is an empty text.
    pub properties: String,
    /// How often a consumer has failed on it.
    pub reconsume_times: i32,
    /// Whether the producer is of a unit.
    pub unit_mode: bool,
    /// On a retry topic: after how many failures it is a dead letter.
    pub max_reconsume_times: Option<i32>,
    /// Whether the body holds many messages.
    pub batch: bool,
    /// The broker that the client believes it talks to (since 4.9.5).
    pub broker_name: Option<String>,
}

/// The names of the fields on the wire, in the struct's order.
struct Names([&'static str; 14]);

const SHORT: Names = Names(["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n"]);

const LONG: Names = Names([
    "producerGroup",
    "topic",
    "defaultTopic",
    "defaultTopicQueueNums",
    "queueId",
    "sysFlag",
    "bornTimestamp",
    "flag",
    "properties",
    "reconsumeTimes",
    "unitMode",
    "maxReconsumeTimes",
    "batch",
    "bname",
]);

impl SendMessageRequestHeader {
    fn write(&self, Names(names): &Names, to: &mut ExtFields) {
        self.producer_group.write(names[0], to);
        self.topic.write(names[1], to);
        self.default_topic.write(names[2], to);
        self.default_topic_queue_nums.write(names[3], to);
        self.queue_id.write(names[4], to);
        self.sys_flag.write(names[5], to);
        self.born_timestamp.write(names[6], to);
        self.flag.write(names[7], to);
        self.properties.write(names[8], to);
        self.reconsume_times.write(names[9], to);
        self.unit_mode.write(names[10], to);
        self.max_reconsume_times.write(names[11], to);
        self.batch.write(names[12], to);
        self.broker_name.write(names[13], to);
    }

    fn read(Names(names): &Names, from: &ExtFields) -> Result<Self, HeaderError> {
        Ok(Self {
            producer_group: String::read(names[0], from)?,
            topic: String::read(names[1], from)?,
            default_topic: String::read(names[2], from)?,
            default_topic_queue_nums: i32::read(names[3], from)?,
            queue_id: i32::read(names[4], from)?,
            sys_flag: i32::read(names[5], from)?,
            born_timestamp: i64::read(names[6], from)?,
            flag: i32::read(names[7], from)?,
            properties: read_or(names[8], from, String::new())?,
            reconsume_times: read_or(names[9], from, 0)?,
            unit_mode: read_or(names[10], from, false)?,
            max_reconsume_times: Option::read(names[11], from)?,
            batch: read_or(names[12], from, false)?,
            broker_name: Option::read(names[13], from)?,
        })
    }
}

impl CommandHeader for SendMessageRequestHeader {
    fn encode(&self, to: &mut ExtFields) {
        self.write(&SHORT, to);
    }

    fn encode_for(&self, code: RequestCode, to: &mut ExtFields) {
        let long = matches!(
            code,
            RequestCode::SEND_MESSAGE
                | RequestCode::SEND_REPLY_MESSAGE
                | RequestCode::PUSH_REPLY_MESSAGE_TO_CLIENT
        );
        self.write(if long { &LONG } else { &SHORT }, to);
    }

    fn decode(from: &ExtFields) -> Result<Self, HeaderError> {
        let long = from.get(LONG.0[1]).is_some();
        Self::read(if long { &LONG } else { &SHORT }, from)
    }
}

command_header! {
    /// What a broker says of a stored message. Java dereferences the first three unasked, so they
    /// go with every answer that means "stored".
    SendMessageResponseHeader {
        /// The offset message id; comma-joined ids for a batch.
        msg_id: String = "msgId",
        /// The queue that was used.
        queue_id: i32 = "queueId",
        /// The offset in that queue; the first one for a batch.
        queue_offset: i64 = "queueOffset",
        /// Set by transactional clients.
        transaction_id: Option<String> = "transactionId",
        /// The region, `DefaultRegion` unless configured.
        region: Option<String> = "MSG_REGION",
        /// Whether clients may trace; `false` turns their tracing off.
        trace_on: Option<bool> = "TRACE_ON",
    }
}
