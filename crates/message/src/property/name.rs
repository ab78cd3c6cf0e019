//! The names the system itself uses. Users must not set them as properties of their own.

/// Keys to look the message up by, separated by blanks.
pub const KEYS: &str = "KEYS";
/// The tag that consumers filter by.
pub const TAGS: &str = "TAGS";
/// `false`: the sender does not wait for flush or replication.
pub const WAIT: &str = "WAIT";
/// The delay level, from 1.
pub const DELAY: &str = "DELAY";
/// Of a retried message: the topic it was first sent to.
pub const RETRY_TOPIC: &str = "RETRY_TOPIC";
/// Of a parked message: the topic it is meant for.
pub const REAL_TOPIC: &str = "REAL_TOPIC";
/// Of a parked message: the queue it is meant for.
pub const REAL_QID: &str = "REAL_QID";
/// `true`: a half message of a transaction.
pub const TRAN_MSG: &str = "TRAN_MSG";
/// The producer group that decides the transaction.
pub const PGROUP: &str = "PGROUP";
/// The queue's lowest offset, set by the consumer after a pull.
pub const MIN_OFFSET: &str = "MIN_OFFSET";
/// The queue's highest offset, set by the consumer after a pull.
pub const MAX_OFFSET: &str = "MAX_OFFSET";
/// Reserved.
pub const BUYER_ID: &str = "BUYER_ID";
/// Of a retried message: the offset message id of its first delivery.
pub const ORIGIN_MESSAGE_ID: &str = "ORIGIN_MESSAGE_ID";
/// Reserved.
pub const TRANSFER_FLAG: &str = "TRANSFER_FLAG";
/// Reserved.
pub const CORRECTION_FLAG: &str = "CORRECTION_FLAG";
/// Reserved.
pub const MQ2_FLAG: &str = "MQ2_FLAG";
/// How often it was tried, when a client itself sends to the retry topic.
pub const RECONSUME_TIME: &str = "RECONSUME_TIME";
/// The region for traces.
pub const MSG_REGION: &str = "MSG_REGION";
/// Whether it is traced.
pub const TRACE_ON: &str = "TRACE_ON";
/// The id that the producer gave it.
pub const UNIQ_KEY: &str = "UNIQ_KEY";
/// How often to retry, when a client itself sends to the retry topic.
pub const MAX_RECONSUME_TIMES: &str = "MAX_RECONSUME_TIMES";
/// When its consumption began, set by the consumer.
pub const CONSUME_START_TIME: &str = "CONSUME_START_TIME";
/// Of a re-appended half message: its first offset in the half queue.
pub const TRAN_PREPARED_QUEUE_OFFSET: &str = "TRAN_PREPARED_QUEUE_OFFSET";
/// How often the transaction was asked for.
pub const TRANSACTION_CHECK_TIMES: &str = "TRANSACTION_CHECK_TIMES";
/// How long the transaction must not be asked for.
pub const CHECK_IMMUNITY_TIME_IN_SECONDS: &str = "CHECK_IMMUNITY_TIME_IN_SECONDS";
/// The client's namespace.
pub const INSTANCE_ID: &str = "INSTANCE_ID";
/// What ties a reply to its request.
pub const CORRELATION_ID: &str = "CORRELATION_ID";
/// The client that waits for the reply.
pub const REPLY_TO_CLIENT: &str = "REPLY_TO_CLIENT";
/// How long a request is waited for, in ms.
pub const TTL: &str = "TTL";
/// When a reply arrived.
pub const ARRIVE_TIME: &str = "ARRIVE_TIME";
/// When a reply was pushed on.
pub const PUSH_REPLY_TIME: &str = "PUSH_REPLY_TIME";
/// The broker's cluster, which it adds to what is sent.
pub const CLUSTER: &str = "CLUSTER";
/// `reply` on a reply.
pub const MSG_TYPE: &str = "MSG_TYPE";
/// The light queues it also belongs to, separated by commas.
pub const INNER_MULTI_DISPATCH: &str = "INNER_MULTI_DISPATCH";
/// Its offsets in these, separated by commas.
pub const INNER_MULTI_QUEUE_OFFSET: &str = "INNER_MULTI_QUEUE_OFFSET";
/// What messages that must keep their order have in common.
pub const SHARDING_KEY: &str = "__SHARDINGKEY";
/// The id of the transaction.
pub const TRANSACTION_ID: &str = "__transactionId__";
/// When to deliver it, in ms, as clients of one cloud say it.
pub const START_DELIVER_TIME: &str = "__STARTDELIVERTIME";
/// Deliver it this many seconds from now (5.x).
pub const TIMER_DELAY_SEC: &str = "TIMER_DELAY_SEC";
/// Deliver it this many ms from now (5.x).
pub const TIMER_DELAY_MS: &str = "TIMER_DELAY_MS";
/// Deliver it at this time, in ms (5.x).
pub const TIMER_DELIVER_MS: &str = "TIMER_DELIVER_MS";
/// When it is due (5.x, set by the broker).
pub const TIMER_OUT_MS: &str = "TIMER_OUT_MS";
/// When it was parked (5.x, set by the broker).
pub const TIMER_ENQUEUE_MS: &str = "TIMER_ENQUEUE_MS";
/// When it was taken out (5.x, set by the broker).
pub const TIMER_DEQUEUE_MS: &str = "TIMER_DEQUEUE_MS";
/// How often it was parked again (5.x, set by the broker).
pub const TIMER_ROLL_TIMES: &str = "TIMER_ROLL_TIMES";
/// The parked message that this one recalls (5.x).
pub const TIMER_DEL_UNIQKEY: &str = "TIMER_DEL_UNIQKEY";
/// Of a dead letter: its topic (5.x).
pub const DLQ_ORIGIN_TOPIC: &str = "DLQ_ORIGIN_TOPIC";
/// Of a dead letter: its id (5.x).
pub const DLQ_ORIGIN_MESSAGE_ID: &str = "DLQ_ORIGIN_MESSAGE_ID";
