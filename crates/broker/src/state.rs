//! What every request of one broker works on.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use message::PhysicalOffset;
use runtime::sync::{Stop, Watermark};
use runtime::{Clock, Disk, Rng};
use store::Store;

use crate::carried::Carried;
use crate::config::BrokerConfig;
use crate::gate::Gate;
use crate::members::Members;
use crate::offsets::Offsets;
use crate::queue_locks::QueueLocks;
use crate::tables::Tables;

/// One broker, as its processors see it.
pub(crate) struct State {
    pub(crate) config: Arc<BrokerConfig>,
    pub(crate) clock: Clock,
    pub(crate) disk: Disk,
    /// Chooses the queue where a producer leaves it open.
    pub(crate) rng: Rng,
    pub(crate) store: Store,
    /// Topics and groups.
    pub(crate) tables: Tables,
    /// How far groups have consumed.
    pub(crate) offsets: Mutex<Offsets>,
    /// What RocketMQ left for services that this broker does not have yet.
    pub(crate) carried: Carried,
    /// Who is connected.
    pub(crate) members: Members,
    /// Who consumes a queue in order.
    pub(crate) locks: Mutex<QueueLocks>,
    /// Sends at work on the ordinary path.
    pub(crate) sends: Gate,
    /// Pulls at work or held.
    pub(crate) pulls: Gate,
    /// What clients dial and message ids carry; known once the broker listens.
    pub(crate) advertised: OnceLock<SocketAddr>,
    /// For each name server, the count of topic changes that it has heard of.
    pub(crate) registered: Vec<Watermark>,
    /// Raised when the broker ends: what is held is answered, what waits for work stops.
    pub(crate) draining: Stop,
}

impl State {
    /// The committed offsets.
    pub(crate) fn offsets(&self) -> MutexGuard<'_, Offsets> {
        self.offsets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The leases of queues.
    pub(crate) fn locks(&self) -> MutexGuard<'_, QueueLocks> {
        self.locks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The address that a message stored through a connection to `local` names as its host.
    pub(crate) fn store_host(&self, local: SocketAddr) -> SocketAddr {
        self.advertised.get().copied().unwrap_or(local)
    }

    /// How long a send waits for its flush.
    pub(crate) fn sync_flush_timeout(&self) -> Duration {
        Duration::from_millis(self.config.sync_flush_timeout_ms)
    }

    /// How far a record lies behind the end of the log, in bytes.
    pub(crate) fn bytes_behind(&self, offset: PhysicalOffset) -> u64 {
        self.store.appended().reached().saturating_sub(offset.0)
    }

    /// Tells the members of a group to rebalance, unless broker or group say otherwise.
    pub(crate) fn notify_changed(&self, group: &str) {
        let known = self.tables.groups().get(group);
        let wanted = known.is_none_or(|group| group.notify_consumer_ids_changed_enable);
        if wanted && self.config.notify_consumer_ids_changed {
            self.members.notify_changed(group);
        }
    }
}
