//! What an operator decides about a broker.

use store::StoreConfig;

/// Everything a [`Broker`](crate::Broker) is told at its start.
///
/// Each field names the RocketMQ property it stands for and has that property's default.
#[derive(Clone, Debug)]
pub struct BrokerConfig {
    /// `brokerName`: a master and its slaves share it.
    pub name: String,
    /// `brokerClusterName`: stored with every message as the property `CLUSTER`.
    pub cluster: String,
    /// `brokerId`: 0 is the master.
    pub id: i64,
    /// `HOST:PORT` to listen on; port 0 takes a free one.
    pub listen: String,
    /// `brokerIP1` and port, as `IP:PORT`: what routes and message ids carry and clients dial.
    /// Without it the address listened on is advertised, which must not be `0.0.0.0` then.
    pub advertise: Option<String>,
    /// `namesrvAddr`: every name server, `HOST:PORT`. Empty: the broker registers nowhere.
    pub namesrv: Vec<String>,
    /// The store beneath.
    pub store: StoreConfig,
    /// `autoCreateTopicEnable`: whether a send to an unknown topic creates it.
    pub auto_create_topic: bool,
    /// `autoCreateSubscriptionGroup`: whether an unknown group is created when it shows up.
    pub auto_create_group: bool,
    /// `defaultTopicQueueNums`: queues of the template topic `TBW102`.
    pub default_topic_queue_nums: u32,
    /// `brokerPermission`: 4 readable, 2 writeable, 6 both.
    pub permission: u32,
    /// `regionId`: answered to every send as `MSG_REGION`.
    pub region: String,
    /// `traceOn`: answered to every send as `TRACE_ON`.
    pub trace_on: bool,
    /// `longPollingEnable`: whether a pull at the tail may wait for a message.
    pub long_polling: bool,
    /// `shortPollingTimeMills`: how long it waits without long polling.
    pub short_polling_ms: u64,
    /// The longest hold a pull may ask for. A client gives up after 30 s by itself; the bound
    /// keeps a careless one below the 120 s after which silent connections are closed.
    pub pull_suspend_ms_max: u64,
    /// `notifyConsumerIdsChangedEnable`: whether a group is told when its members change.
    pub notify_consumer_ids_changed: bool,
    /// `syncFlushTimeout`: after this long without its flush, a send is answered
    /// FLUSH_DISK_TIMEOUT.
    pub sync_flush_timeout_ms: u64,
    /// `flushConsumerOffsetInterval`.
    pub flush_consumer_offset_interval_ms: u64,
    /// `registerNameServerPeriod`.
    pub register_interval_ms: u64,
    /// `registerBrokerTimeoutMills`: for one registration with one name server.
    pub register_timeout_ms: u64,
    /// A client that sends no heartbeat for this long is gone.
    pub client_expiry_ms: u64,
    /// `rocketmq.broker.rebalance.lockMaxLiveTime`: a queue lock not renewed for this long is free.
    pub queue_lock_lease_ms: u64,
    /// `maxMessageSize`: bytes of a body, or of a whole batch.
    pub body_size_max: usize,
    /// `maxTransferCountOnMessageInMemory`: messages in one pull reply.
    pub pull_count_max: u32,
    /// `maxTransferBytesOnMessageInMemory`: bytes in one pull reply; one message always fits.
    pub pull_bytes_max: u32,
    /// `maxMsgsNumBatch`: messages in one answer to a query by key, at most 64.
    pub query_count_max: usize,
    /// `defaultQueryMaxNum`: messages that a query by unique key wants.
    pub query_count_default: usize,
    /// `accessMessageInMemoryMaxRatio`, as bytes: a queue whose first message lies within this
    /// distance of the log's end is young, and a new group starts at its beginning.
    pub young_queue_bytes_max: u64,
    /// `sendThreadPoolQueueCapacity`: sends of the ordinary path at work at once; above it
    /// SYSTEM_BUSY is answered.
    pub sends_in_flight_max: usize,
    /// `pullThreadPoolQueueCapacity`: pulls at work or held at once; above it SYSTEM_BUSY.
    pub pulls_in_flight_max: usize,
}

impl BrokerConfig {
    /// RocketMQ's defaults, for a master called `name`.
    pub fn new(name: &str, store: StoreConfig) -> Self {
        Self {
            name: name.to_owned(),
            cluster: "DefaultCluster".to_owned(),
            id: 0,
            listen: "127.0.0.1:10911".to_owned(),
            advertise: None,
            namesrv: Vec::new(),
            store,
            auto_create_topic: true,
            auto_create_group: true,
            default_topic_queue_nums: 8,
            permission: message::permission::READ | message::permission::WRITE,
            region: "DefaultRegion".to_owned(),
            trace_on: true,
            long_polling: true,
            short_polling_ms: 1_000,
            pull_suspend_ms_max: 60_000,
            notify_consumer_ids_changed: true,
            sync_flush_timeout_ms: 5_000,
            flush_consumer_offset_interval_ms: 5_000,
            register_interval_ms: 30_000,
            register_timeout_ms: 6_000,
            client_expiry_ms: 120_000,
            queue_lock_lease_ms: 60_000,
            body_size_max: 4 << 20,
            pull_count_max: 32,
            pull_bytes_max: 256 << 10,
            query_count_max: 64,
            query_count_default: 32,
            young_queue_bytes_max: 3 << 30,
            sends_in_flight_max: 10_000,
            pulls_in_flight_max: 100_000,
        }
    }

    /// The path of a configuration table, such as `topics.json`: beside the logs, as RocketMQ has
    /// it, so that an existing store directory brings its tables along.
    pub(crate) fn table_path(&self, file: &str) -> String {
        format!("{}/{file}", self.table_dir())
    }

    /// The directory of the configuration tables.
    pub(crate) fn table_dir(&self) -> String {
        let root = &self.store.root;
        if root.is_empty() { "config".to_owned() } else { format!("{root}/config") }
    }
}
