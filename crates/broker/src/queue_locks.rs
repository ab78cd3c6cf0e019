//! Who may consume a queue in order: leases of (group, queue) held by a client.
//!
//! Pure: time is an argument, and it is the monotonic one, so no jump of the wall clock frees a
//! queue or holds it for ever. The leases live in memory only; a restarted broker grants anew,
//! which is why a client trusts its lock for half the lease.

use std::collections::BTreeMap;
use std::time::Duration;

use message::MessageQueue;
use runtime::Monotonic;

/// The leases of all groups.
pub(crate) struct QueueLocks {
    /// How long a lease lasts that nobody renews.
    lease: Duration,
    held: BTreeMap<String, BTreeMap<MessageQueue, Lease>>,
}

struct Lease {
    client: String,
    renewed: Monotonic,
}

impl QueueLocks {
    /// No lease held; each granted lasts `lease` from its last renewal.
    pub(crate) fn new(lease: Duration) -> Self {
        Self { lease, held: BTreeMap::new() }
    }

    /// Takes or renews what is free or already `client`'s; returns those of `wanted` it now holds.
    pub(crate) fn lock(
        &mut self,
        group: &str,
        client: &str,
        wanted: Vec<MessageQueue>,
        now: Monotonic,
    ) -> Vec<MessageQueue> {
        let held = self.held.entry(group.to_owned()).or_default();
        let lease = self.lease;
        let mut granted = Vec::new();
        for queue in wanted {
            let free = held
                .get(&queue)
                .is_none_or(|held| held.client == client || now.since(held.renewed) >= lease);
            if free {
                held.insert(queue.clone(), Lease { client: client.to_owned(), renewed: now });
                granted.push(queue);
            }
        }
        granted
    }

    /// Gives back those of `queues` that `client` holds; others' leases stay.
    pub(crate) fn unlock(&mut self, group: &str, client: &str, queues: &[MessageQueue]) {
        let Some(held) = self.held.get_mut(group) else { return };
        for queue in queues {
            if held.get(queue).is_some_and(|lease| lease.client == client) {
                held.remove(queue);
            }
        }
        if held.is_empty() {
            self.held.remove(group);
        }
    }

    /// Forgets the leases that ran out, so that groups long gone take no memory.
    pub(crate) fn expire(&mut self, now: Monotonic) {
        let lease = self.lease;
        self.held.retain(|_, held| {
            held.retain(|_, held| now.since(held.renewed) < lease);
            !held.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic(Duration::from_secs(seconds))
    }

    fn queue(queue_id: u32) -> MessageQueue {
        MessageQueue { topic: "T".into(), broker_name: "b".into(), queue_id }
    }

    fn locks() -> QueueLocks {
        QueueLocks::new(Duration::from_secs(60))
    }

    #[test]
    fn a_held_queue_is_granted_to_nobody_else_and_to_its_holder_again() {
        let mut locks = locks();
        assert_eq!(locks.lock("g", "a", vec![queue(0), queue(1)], at(0)).len(), 2);
        assert_eq!(locks.lock("g", "b", vec![queue(0), queue(2)], at(1)), [queue(2)]);
        assert_eq!(locks.lock("g", "a", vec![queue(0)], at(2)), [queue(0)]);
    }

    #[test]
    fn groups_do_not_share_their_leases() {
        let mut locks = locks();
        locks.lock("g", "a", vec![queue(0)], at(0));
        assert_eq!(locks.lock("h", "b", vec![queue(0)], at(0)), [queue(0)]);
    }

    #[test]
    fn a_lease_runs_out_sixty_seconds_after_its_last_renewal() {
        let mut locks = locks();
        locks.lock("g", "a", vec![queue(0)], at(0));
        locks.lock("g", "a", vec![queue(0)], at(30));
        assert!(locks.lock("g", "b", vec![queue(0)], at(89)).is_empty());
        assert_eq!(locks.lock("g", "b", vec![queue(0)], at(90)), [queue(0)]);
    }

    #[test]
    fn only_the_holder_gives_a_queue_back() {
        let mut locks = locks();
        locks.lock("g", "a", vec![queue(0)], at(0));
        locks.unlock("g", "b", &[queue(0)]);
        assert!(locks.lock("g", "b", vec![queue(0)], at(1)).is_empty());
        locks.unlock("g", "a", &[queue(0)]);
        assert_eq!(locks.lock("g", "b", vec![queue(0)], at(2)), [queue(0)]);
    }

    #[test]
    fn expired_leases_take_no_memory() {
        let mut locks = locks();
        locks.lock("g", "a", vec![queue(0)], at(0));
        locks.expire(at(59));
        assert_eq!(locks.held.len(), 1);
        locks.expire(at(60));
        assert!(locks.held.is_empty());
    }
}
