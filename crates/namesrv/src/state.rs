//! What the requests to a name server read and change.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use remoting::Connection;
use runtime::Clock;
use runtime::sync::Watermark;

use crate::kv_store::KvStore;
use crate::table::RouteTable;

/// The state of one name server.
pub(crate) struct State {
    /// Monotonic: no jump of the wall clock may kill a broker.
    pub(crate) clock: Clock,
    pub(crate) kv: KvStore,
    pub(crate) order_message_enable: bool,
    /// Counts registrations, for the expiry task that sleeps while there is no broker.
    pub(crate) registrations: Watermark,
    table: Mutex<RouteTable>,
    /// The connections that brokers registered over, to close those of the silent.
    registrants: Mutex<BTreeMap<u64, Connection>>,
}

impl State {
    pub(crate) fn new(clock: Clock, kv: KvStore, order_message_enable: bool) -> Self {
        Self {
            clock,
            kv,
            order_message_enable,
            registrations: Watermark::default(),
            table: Mutex::default(),
            registrants: Mutex::default(),
        }
    }

    /// The route table, for a moment: nothing waits under this lock.
    pub(crate) fn table(&self) -> MutexGuard<'_, RouteTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connections of brokers, for a moment.
    pub(crate) fn registrants(&self) -> MutexGuard<'_, BTreeMap<u64, Connection>> {
        self.registrants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
