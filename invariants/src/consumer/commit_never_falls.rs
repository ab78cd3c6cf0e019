//! C1: what a group has committed, its next member begins at.

use std::collections::BTreeMap;

use message::{MessageQueue, QueueOffset};

use crate::history::{Event, What};
use crate::invariant::{Claim, Found, Invariant};
use crate::ledger::Fault;
use crate::world::World;

/// A member asks where to begin, and says so when it knows: so old must a commit be that its
/// question cannot have overtaken, in ms.
const ASKING_MS_MAX: u64 = 10_000;

/// So long nothing must have struck before a commit, in ms: until then a member may take itself for
/// the owner of a queue that another has, and its commits arrive without an answer.
const VIEWS_MS_MAX: u64 = 60_000;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct CommitNeverFalls {
    /// By group and queue, what was committed, oldest first.
    commits: BTreeMap<(String, MessageQueue), Vec<Commit>>,
}

#[derive(Clone, Copy, Debug)]
struct Commit {
    at_ms: u64,
    offset: QueueOffset,
    event: usize,
}

/// What C1 claims.
const CLAIM: Claim = Claim {
    id: "C1",
    sentence: "While its broker lives, no member of a group begins a queue before the offset that \
               the group had committed 10 s ago.",
    source: "RocketMQ #10176, #3503, #2708; internals.md 1.6",
    limits: "Within one life of a broker's process: what outlives a crash is D11's. Not where the \
             log itself may have lost its end: power, disk, damage. A reset begins anew. Only in a \
             world that was calm from a minute before the commit on. The last \
             commit counts: a member that does not know yet that it lost a queue may commit less \
             than the next one did, and no broker that speaks RocketMQ's protocol can tell that \
             from a reset.",
};

impl Invariant for CommitNeverFalls {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, world: &World<'_>, event: &Event, found: &mut Found) {
        match &event.what {
            What::Committed { group, queue, offset } => {
                let commit = Commit { at_ms: event.at_ms, offset: *offset, event: event.index };
                self.commits.entry((group.clone(), queue.clone())).or_default().push(commit);
            }
            What::Reset { group, queue, .. } => {
                self.commits.remove(&(group.clone(), queue.clone()));
            }
            What::Rewound { group, queue, to, .. } => {
                let Some(commits) = self.commits.get(&(group.clone(), queue.clone())) else {
                    return;
                };
                let Some(since_ms) = life(world, queue) else { return };
                let calm_ms = world.struck_until(event.at_ms).saturating_add(VIEWS_MS_MAX);
                let is_due = |commit: &&Commit| {
                    commit.at_ms >= since_ms.max(calm_ms)
                        && commit.at_ms + ASKING_MS_MAX < event.at_ms
                };
                let Some(due) = commits.iter().rposition(|commit| is_due(&commit)) else { return };
                // What was committed since may be less, by a member that lost the queue unawares.
                let least = commits[due..].iter().min_by_key(|commit| commit.offset);
                let Some(least) = least else { return };
                found.check(*to >= least.offset, [least.event, event.index], || {
                    format!("{group} had committed {} of {queue}, begins at {to}", least.offset)
                });
            }
            _ => {}
        }
    }
}

/// Since when the queue's broker lives, in ms of true time. `None` if its log may have lost its
/// end: then offsets are lowered with it.
fn life(world: &World<'_>, queue: &MessageQueue) -> Option<u64> {
    let mut since_ms = 0;
    for entry in world.ledger.of(world.node_of(queue)?) {
        match entry.fault {
            Fault::PowerLoss | Fault::DiskLost => return None,
            _ if entry.fault.damage().is_some() => return None,
            _ if entry.fault.ends() || entry.fault == Fault::Started => since_ms = entry.at_ms,
            _ => {}
        }
    }
    Some(since_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promise::Flush;
    use crate::testing::{Run, queue};

    /// A run in which nothing has struck for long.
    fn calm() -> Run {
        let mut run = Run::new(CommitNeverFalls::default(), Flush::Sync);
        run.pass(VIEWS_MS_MAX);
        run
    }

    fn commit(run: &mut Run, offset: u64) -> usize {
        let offset = QueueOffset(offset);
        run.event(What::Committed { group: "g".into(), queue: queue(), offset })
    }

    fn begin(run: &mut Run, to: u64) -> usize {
        let (group, consumer, to) = ("g".into(), "c.0.0".into(), QueueOffset(to));
        run.event(What::Rewound { group, consumer, queue: queue(), to })
    }

    #[test]
    fn on_from_the_commit_and_back_after_a_crash_or_a_reset_are_fine() {
        let mut run = calm();
        commit(&mut run, 3);
        run.pass(ASKING_MS_MAX);
        commit(&mut run, 5);
        begin(&mut run, 3);
        run.pass(ASKING_MS_MAX);
        begin(&mut run, 5);
        run.event(What::Reset { group: "g".into(), queue: queue(), to: QueueOffset(1) });
        begin(&mut run, 1);
        commit(&mut run, 7);
        run.fault(Fault::ProcessKill);
        run.fault(Fault::Started);
        run.pass(ASKING_MS_MAX);
        begin(&mut run, 2);
        run.assert_green();
    }

    #[test]
    fn what_the_last_owner_took_back_is_fine() {
        let mut run = calm();
        commit(&mut run, 6);
        commit(&mut run, 5);
        run.pass(ASKING_MS_MAX);
        begin(&mut run, 5);
        run.assert_green();
    }

    #[test]
    fn back_before_an_old_commit_is_caught() {
        let mut run = calm();
        let commit = commit(&mut run, 5);
        run.pass(ASKING_MS_MAX);
        let begin = begin(&mut run, 4);
        run.assert_red(&[commit, begin]);
    }
}
