//! Which tasks live, by node and name: for a report of who waits, when nothing moves.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::node::Node;

/// The living tasks of a world. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Census(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    alive: BTreeMap<(Node, &'static str), u64>,
    born: u64,
}

impl Census {
    /// Counts a task in; it counts itself out when it is dropped.
    pub(crate) fn enter(&self, node: &Node, name: &'static str) -> Presence {
        let mut state = self.state();
        state.born += 1;
        *state.alive.entry((node.clone(), name)).or_default() += 1;
        Presence { census: self.clone(), node: node.clone(), name }
    }

    /// How many tasks were ever counted in.
    pub(crate) fn born(&self) -> u64 {
        self.state().born
    }

    /// The living tasks: node, name, how many.
    pub(crate) fn alive(&self) -> Vec<(Node, &'static str, u64)> {
        let state = self.state();
        state.alive.iter().map(|((node, name), &count)| (node.clone(), *name, count)).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A living task.
pub(crate) struct Presence {
    census: Census,
    node: Node,
    name: &'static str,
}

impl Drop for Presence {
    fn drop(&mut self) {
        let mut state = self.census.state();
        let key = (self.node.clone(), self.name);
        if let Some(count) = state.alive.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                state.alive.remove(&key);
            }
        }
    }
}
