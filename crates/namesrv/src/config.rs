//! What a name server can be told (internals §13.3), with RocketMQ's defaults.

use std::time::Duration;

use remoting::ServerConfig;

/// Configuration of a name server.
#[derive(Clone, Debug)]
pub struct NamesrvConfig {
    /// Where it listens, `HOST:PORT`; port 0 takes a free one. `0.0.0.0:9876`.
    pub listen: String,
    /// A broker that says nothing for longer than this is dead, though its connection stands.
    /// 120 s: brokers register every 30 s.
    pub broker_silence_max: Duration,
    /// How late after that a dead broker may still be in the table. 10 s.
    pub scan_interval: Duration,
    /// Where the key-value configuration is kept, relative to the node's root.
    pub kv_config_path: String,
    /// Whether a route carries the topic's entry of [`ORDER_TOPIC_CONFIG`]. No.
    pub order_message_enable: bool,
    /// Bounds of its connections.
    pub server: ServerConfig,
}

/// The namespace that says which queues an ordered topic has, by topic; every registering broker
/// is told all of it.
pub const ORDER_TOPIC_CONFIG: &str = "ORDER_TOPIC_CONFIG";

impl Default for NamesrvConfig {
    fn default() -> Self {
        Self {
            listen: "0.0.0.0:9876".to_owned(),
            broker_silence_max: Duration::from_secs(120),
            scan_interval: Duration::from_secs(10),
            kv_config_path: "namesrv/kvConfig.json".to_owned(),
            order_message_enable: false,
            server: ServerConfig::default(),
        }
    }
}
