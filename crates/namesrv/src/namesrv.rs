//! A name server, running.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use remoting::{Handles, Server};
use runtime::{Runtime, Task};

use crate::answers::Answers;
use crate::config::NamesrvConfig;
use crate::kv_store::{KvLoadError, KvStore};
use crate::state::State;

/// Why a name server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The key-value configuration.
    #[error("the key-value configuration cannot be loaded: {0}")]
    KvConfig(#[from] KvLoadError),
    /// The listener.
    #[error("cannot listen on {address}: {source}; is another process using the port?")]
    Listen {
        /// The address.
        address: String,
        /// What the net said.
        source: io::Error,
    },
}

/// A running name server. Dropping it stops nothing: see [`Namesrv::shutdown`].
pub struct Namesrv {
    server: Server,
    expiry: Task,
}

impl Namesrv {
    /// Reads the key-value configuration, then listens.
    ///
    /// # Errors
    /// The configuration is damaged or unreadable, or the address cannot be had.
    pub async fn start(runtime: &Runtime, config: NamesrvConfig) -> Result<Namesrv, StartError> {
        let kv = KvStore::open(runtime.disk.clone(), &config.kv_config_path).await?;
        let state = Arc::new(State::new(runtime.clock.clone(), kv, config.order_message_enable));
        let answers = Arc::new(Answers(state.clone()));
        let server = Server::start(Handles::from(runtime), &config.listen, answers, config.server)
            .await
            .map_err(|source| StartError::Listen { address: config.listen, source })?;
        let expiry = expire(state, config.broker_silence_max, config.scan_interval);
        let expiry = runtime.tasks.spawn("expire brokers", expiry);
        Ok(Namesrv { server, expiry })
    }

    /// The address it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// Stops answering and closes all connections. Again is harmless.
    pub async fn shutdown(&self) {
        self.expiry.cancel();
        self.expiry.join().await;
        self.server.shutdown().await;
    }
}

/// Takes silent brokers out. Sleeps until one can have expired, and for ever while there is none.
async fn expire(state: Arc<State>, silence_max: Duration, scan_interval: Duration) {
    loop {
        let seen = state.registrations.reached();
        let Some(heard) = state.table().heard_first() else {
            // Nothing closes this watermark.
            let _ = state.registrations.wait(seen + 1).await;
            continue;
        };
        let now = state.clock.monotonic();
        state.clock.sleep_until((heard + silence_max).max(now) + scan_interval).await;
        let expired = state.table().expired(state.clock.monotonic(), silence_max);
        state.table().remove_expired(&expired);
        for gone in expired {
            tracing::warn!(broker = gone.broker_addr, ?silence_max, "broker lost: it is silent");
            let registrant = state.registrants().remove(&gone.connection);
            if let Some(connection) = registrant {
                connection.close_because("the broker registered over it has expired");
            }
        }
    }
}
