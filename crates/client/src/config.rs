//! Every timeout and limit of a client, with its default.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use crate::attempt::AttemptHook;
use crate::consumer::observer::GroupObserver;

/// What a [`Client`](crate::Client) needs to know.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Name servers as `HOST:PORT`; one is used until it fails, then the next.
    pub namesrv: Vec<String>,
    /// The part of the client id that tells the clients of one host apart. Empty: a random one.
    pub instance_name: String,
    /// This host's address, for the client id and the unique ids of messages. It identifies; it is
    /// never connected to.
    pub host: IpAddr,
    /// How often the routes of the topics in use are asked for.
    pub route_poll_interval: Duration,
    /// How often every known broker is told who we are; brokers forget us after 120 s.
    pub heartbeat_interval: Duration,
    /// How long an answer is waited for, where a verb has no deadline of its own.
    pub request_timeout: Duration,
}

impl ClientConfig {
    /// The defaults of RocketMQ's own clients, with these name servers.
    pub fn new(namesrv: Vec<String>) -> Self {
        Self { namesrv, ..Self::default() }
    }
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            namesrv: Vec::new(),
            instance_name: String::new(),
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            route_poll_interval: Duration::from_secs(30),
            heartbeat_interval: Duration::from_secs(30),
            request_timeout: Duration::from_secs(3),
        }
    }
}

/// How a [`Producer`](crate::Producer) sends.
#[derive(Clone)]
pub struct ProducerConfig {
    /// For one call of `send`, all its attempts together.
    pub send_timeout: Duration,
    /// Attempts after the first.
    pub retries_max: u32,
    /// A body above this is refused before it is sent, in bytes. The broker has a limit of its own.
    pub body_size_max: usize,
    /// Queues per broker of a topic that the first send creates.
    pub default_topic_queue_nums: u32,
    /// How long a broker is avoided after it failed us.
    pub avoid_pause: Duration,
    /// Told of every attempt, and may mark the message with it.
    pub hook: Option<Arc<dyn AttemptHook>>,
}

impl Default for ProducerConfig {
    fn default() -> Self {
        Self {
            send_timeout: Duration::from_secs(3),
            retries_max: 2,
            body_size_max: 4 * 1024 * 1024,
            default_topic_queue_nums: 4,
            avoid_pause: Duration::from_secs(30),
            hook: None,
        }
    }
}

/// Where a group begins in a queue it has no offset for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConsumeFrom {
    /// Behind the newest message.
    #[default]
    Last,
    /// At the oldest message.
    First,
    /// At the first message stored at or after this time, in ms since the Unix epoch.
    Timestamp(u64),
}

/// How a [`PushConsumer`](crate::PushConsumer) consumes.
#[derive(Clone)]
pub struct PushConfig {
    /// Its group.
    pub group: String,
    /// Where to begin in a queue that the group has no offset for.
    pub from: ConsumeFrom,
    /// Calls of the listener at the same time, all queues together.
    pub concurrency_max: usize,
    /// Messages handed to one call of the listener.
    pub batch_max: usize,
    /// Messages asked for in one pull.
    pub pull_count_max: u32,
    /// How long a broker may hold a pull that finds nothing.
    pub pull_hold: Duration,
    /// How long an answer to a pull is waited for; longer than the hold.
    pub pull_timeout: Duration,
    /// The pause after a pull that failed.
    pub pull_error_pause: Duration,
    /// Messages in flight per queue, above which it is not pulled.
    pub in_flight_count_max: usize,
    /// Bytes in flight per queue, above which it is not pulled.
    pub in_flight_bytes_max: usize,
    /// Offsets between the oldest message in flight and the next pull, above which it waits.
    pub in_flight_span_max: u64,
    /// How often the queues are dealt anew without a cause.
    pub rebalance_interval: Duration,
    /// The pause before another try when the queues could not be dealt.
    pub rebalance_retry_pause: Duration,
    /// The pause before a queue is begun that another member may have just given up: its last
    /// commit is on the way.
    pub takeover_pause: Duration,
    /// How often the offsets that changed are committed.
    pub commit_interval: Duration,
    /// How often an offset is committed again that did not change: a broker that crashed may have
    /// forgotten what it had answered with success.
    pub recommit_interval: Duration,
    /// The first pause before a message that failed is tried again; it doubles with each failure.
    pub redelivery_pause: Duration,
    /// The longest pause before a message is tried again.
    pub redelivery_pause_max: Duration,
    /// How long a shutdown waits for the listener's running calls.
    pub shutdown_drain: Duration,
    /// Is told what becomes of its queues and commits.
    pub observer: Option<Arc<dyn GroupObserver>>,
}

impl PushConfig {
    /// The defaults of RocketMQ's own clients, for this group.
    pub fn new(group: impl Into<String>) -> Self {
        Self {
            group: group.into(),
            from: ConsumeFrom::default(),
            concurrency_max: 20,
            batch_max: 1,
            pull_count_max: 32,
            pull_hold: Duration::from_secs(15),
            pull_timeout: Duration::from_secs(30),
            pull_error_pause: Duration::from_secs(3),
            in_flight_count_max: 1_000,
            in_flight_bytes_max: 100 * 1024 * 1024,
            in_flight_span_max: 2_000,
            rebalance_interval: Duration::from_secs(20),
            rebalance_retry_pause: Duration::from_secs(1),
            takeover_pause: Duration::from_millis(500),
            commit_interval: Duration::from_secs(5),
            recommit_interval: Duration::from_secs(30),
            redelivery_pause: Duration::from_secs(1),
            redelivery_pause_max: Duration::from_secs(30),
            shutdown_drain: Duration::from_secs(5),
            observer: None,
        }
    }
}
