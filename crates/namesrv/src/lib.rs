//! Who serves which topic.
//!
//! Brokers register over a connection and are in the table while that stands and they are heard;
//! clients ask for routes. Name servers know nothing of each other, and hold nothing that brokers
//! would not tell them again within 30 s, except the key-value configuration, which is a file.
//!
//! *Invariant:* the route table knows neither the clock nor the net: `now` and connections are
//! arguments. No answer waits for another server.

mod answer_broker;
mod answer_kv;
mod answer_route;
mod answers;
mod change;
mod config;
mod expire;
mod kv_config;
mod kv_store;
mod namesrv;
mod query;
mod refusal;
mod register;
mod state;
mod table;

pub use change::WritePermission;
pub use config::{NamesrvConfig, ORDER_TOPIC_CONFIG};
pub use expire::Expired;
pub use kv_config::{KvConfig, KvConfigError};
pub use kv_store::KvLoadError;
pub use namesrv::{Namesrv, StartError};
pub use query::Units;
pub use register::{Registered, Registration};
pub use table::{MASTER_ID, RouteTable};
