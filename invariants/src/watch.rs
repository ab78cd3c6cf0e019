//! One run, watched: takes what happens, keeps it, and asks every property.

use crate::disk::NodeDisk;
use crate::history::{History, What};
use crate::invariant::{Found, Invariant};
use crate::ledger::{Fault, Ledger};
use crate::promise::Cluster;
use crate::violation::Violation;
use crate::world::{Recovery, World};

/// The history and the ledger of a run and the properties that watch them. Silent: it draws no
/// randomness, waits for nothing and changes nothing but itself.
///
/// The runner calls [`Watch::fault`], [`Watch::recovered`] and [`Watch::quiet`]; workloads call
/// [`Watch::record`], through a recorder that knows the true time.
pub struct Watch {
    cluster: Cluster,
    history: History,
    ledger: Ledger,
    watchers: Vec<(Box<dyn Invariant>, Found)>,
}

impl Watch {
    /// Starts to watch a cluster.
    pub fn new(cluster: Cluster, invariants: Vec<Box<dyn Invariant>>) -> Self {
        let with_found = |invariant: Box<dyn Invariant>| {
            let found = Found::new(invariant.claim());
            (invariant, found)
        };
        let watchers = invariants.into_iter().map(with_found).collect();
        Self { cluster, history: History::new(), ledger: Ledger::new(), watchers }
    }

    /// Notes what a client did or saw at `at_ms` of true time; returns the event's index.
    ///
    /// # Panics
    /// As [`History::record`].
    pub fn record(&mut self, at_ms: u64, what: What) -> usize {
        let index = self.history.record(at_ms, what);
        let event = &self.history.events()[index];
        let world = World { history: &self.history, ledger: &self.ledger, cluster: &self.cluster };
        for (invariant, found) in &mut self.watchers {
            invariant.on_event(&world, event, found);
        }
        index
    }

    /// Notes a fault that was really applied at `at_ms` of true time, or that a node was started
    /// (and serves) or stopped; returns the entry's index. Record first what clients did and saw
    /// before.
    ///
    /// # Panics
    /// As [`Ledger::append`].
    pub fn fault(&mut self, at_ms: u64, node: &str, fault: Fault) -> usize {
        self.ledger.append(at_ms, node, fault)
    }

    /// Shows a start of a node on a disk that was there before. Everything that clients did and saw
    /// until the images were taken must be recorded, and nothing from later.
    pub fn recovered(&mut self, recovery: &Recovery) {
        let world = World { history: &self.history, ledger: &self.ledger, cluster: &self.cluster };
        for (invariant, found) in &mut self.watchers {
            found.about(Some(recovery.node()));
            invariant.on_recovery(&world, recovery, found);
            found.about(None);
        }
    }

    /// Shows every node's disk at the end, after clients have drained (or should have).
    pub fn quiet(&mut self, disks: &[NodeDisk]) {
        let world = World { history: &self.history, ledger: &self.ledger, cluster: &self.cluster };
        for (invariant, found) in &mut self.watchers {
            invariant.when_quiet(&world, disks, found);
        }
    }

    /// What clients did and saw so far.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The faults so far.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// What was promised, to whom.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// What each property has checked and found, in the order they were given.
    pub fn found(&self) -> impl Iterator<Item = &Found> {
        self.watchers.iter().map(|(_, found)| found)
    }

    /// Every violation that was kept.
    pub fn violations(&self) -> Vec<Violation> {
        self.found().flat_map(|found| found.violations().to_vec()).collect()
    }
}
