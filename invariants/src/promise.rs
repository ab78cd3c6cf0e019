//! The promise calculus: what a broker owes for a message, given the faults that really happened.
//!
//! The only place that knows modes. For one broker without replicas:
//!
//! | outcome, mode | kill | power loss | disk lost | bit rot |
//! |---|---|---|---|---|
//! | `OK`, sync flush | must | must | may | may, at and behind the place |
//! | `OK`, sync flush, `WAIT=false` | as async flush | | | |
//! | `OK`, async flush | must | must if answered more than H before, else may | may | as above |
//! | `OK`, async flush, pool | must if answered more than C before | so, H + C before | may | so |
//! | `WEAK` | as `OK` | may | may | as above |
//! | `UNKNOWN` | may | may | may | may |
//! | `REJECTED` | must not | must not | must not | must not |
//!
//! Damage that no start has come by yet counts also for what is sent after it struck.
//!
//! Where the node deleted the head of its log, nothing below the deleted file's end is owed any
//! more.
//!
//! Where the pool's row says must it says may otherwise.
//!
//! H, the horizon, is the longest time an append may wait for its flush. It grows by every stall of
//! the node, because nothing is flushed meanwhile. C is the longest time that an append may stay in
//! a private buffer of the process, likewise. A failed sync of the log leaves whatever was not
//! flushed before in the cache only: a later power loss takes it, however late, and so does an
//! eviction of clean pages, unless it was answered `OK` under sync flush. What is appended behind
//! such pages before the next start goes with them: that start finds a hole and cuts there.

use std::collections::BTreeMap;

use message::PhysicalOffset;

use crate::ledger::{Entry, Fault, Ledger};
use crate::outcome::Class;

/// The room an append needs from the moment its flush is due: scheduling and the disk itself.
const FLUSH_SLACK_MS: u64 = 1_000;

/// The room a commit needs from the moment it is due: it is a copy in memory.
const COMMIT_SLACK_MS: u64 = 100;

/// No record of a simulated run is longer; bit rot this far behind a record's start spares it.
const RECORD_LEN_BOUND: u64 = 64 * 1024;

/// When a broker acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// After its log is synced.
    Sync,
    /// After the append; the sync follows.
    Async,
}

/// What the calculus knows about one broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// The node it runs on, as the ledger calls it.
    pub node: String,
    /// When it acknowledges.
    pub flush: Flush,
    /// H, in ms; see [`horizon_ms`].
    pub horizon_ms: u64,
    /// C, in ms, where appends go to a pool of private buffers first; see [`commit_horizon_ms`].
    pub commit_ms: Option<u64>,
}

/// The brokers of a run, by broker name.
pub type Cluster = BTreeMap<String, Broker>;

/// H of a broker that looks every `flush_interval_ms` and then flushes at least `flush_pages_least`
/// pages, or everything if `flush_thorough_ms` have passed.
pub fn horizon_ms(flush_interval_ms: u64, flush_pages_least: u64, flush_thorough_ms: u64) -> u64 {
    let deferred = if flush_pages_least > 0 { flush_thorough_ms } else { 0 };
    // Twice the interval: an append just behind one look waits for the whole next one.
    2 * flush_interval_ms + deferred + FLUSH_SLACK_MS
}

/// C of a broker that commits at the latest `commit_delay_ms` after an append.
pub fn commit_horizon_ms(commit_delay_ms: u64) -> u64 {
    commit_delay_ms + COMMIT_SLACK_MS
}

/// What was said about a message, and when.
#[derive(Clone, Copy, Debug)]
pub struct Said {
    /// What the answer proved.
    pub class: Class,
    /// When the request began, in ms of true time: the append was not earlier.
    pub from_ms: u64,
    /// When the answer was there, in ms of true time: the append was not later.
    pub at_ms: u64,
    /// Where the message stands in the log, if the answer said so.
    pub address: Option<PhysicalOffset>,
    /// Whether the answer waited for the flush, where the broker lets answers wait.
    pub waits: bool,
}

impl Said {
    /// When this was said: after the flush, or before.
    fn flush(&self, broker: &Broker) -> Flush {
        if self.waits { broker.flush } else { Flush::Async }
    }
}

/// What is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owed {
    /// It must be there.
    Must,
    /// It may be there or not.
    May(Excuse),
    /// It must not be there, nor ever have been.
    MustNot,
}

impl Owed {
    /// Whether it must be there.
    pub fn is_must(self) -> bool {
        self == Owed::Must
    }
}

/// Why a loss is no violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excuse {
    /// The outcome was `UNKNOWN`, so nothing was promised.
    Unknown,
    /// The ledger's entry with this index.
    Fault(usize),
}

/// What `broker` owes for a message of which that was said, after all faults in the ledger.
pub fn owes(said: &Said, broker: &Broker, ledger: &Ledger) -> Owed {
    match said.class {
        Class::Unknown => Owed::May(Excuse::Unknown),
        Class::Rejected => Owed::MustNot,
        Class::Ok | Class::Weak => ledger
            .of(&broker.node)
            .filter(|entry| entry.at_ms >= said.from_ms || lies_in_wait(entry, ledger, said))
            .find(|entry| excuses(entry, said, broker, ledger))
            .map_or(Owed::Must, |entry| Owed::May(Excuse::Fault(entry.index))),
    }
}

/// Whether a fault that struck before the request began can have taken its append all the same:
/// damage of the log that no start has come by since. What is appended behind it stands in the same
/// tail, and the first start that walks it cuts it at the damage; what that start leaves is sound,
/// or on record and never cut again. The cache may hide a misdirected page until the power fails.
fn lies_in_wait(entry: &Entry, ledger: &Ledger, said: &Said) -> bool {
    if entry.fault == Fault::PagesEvicted {
        return stands_behind_hole(entry, said, ledger);
    }
    let shows = |fault: &Fault| match &entry.fault {
        Fault::BitRot { .. } => fault.ends(),
        _ => *fault == Fault::PowerLoss || *fault == Fault::DiskLost,
    };
    let since = ledger.of(&entry.node).filter(|later| later.index > entry.index);
    let mut walks = since
        .take_while(|later| later.at_ms <= said.from_ms)
        .skip_while(|later| !shows(&later.fault));
    entry.fault.damage().is_some() && !walks.any(|later| later.fault == Fault::Started)
}

/// Whether this fault may have taken a message that was answered `OK` or `WEAK`.
fn excuses(entry: &Entry, said: &Said, broker: &Broker, ledger: &Ledger) -> bool {
    match &entry.fault {
        Fault::DiskLost => true,
        // Retention: what stood below the end of a deleted file, and nothing else.
        Fault::Deleted(deletion) => said.address.is_some_and(|at| at.0 < deletion.end),
        Fault::BitRot { path, offset, .. } | Fault::Misdirected { path, offset, .. } => {
            rots(path, *offset, said.address)
        }
        Fault::PowerLoss => match (said.class, said.flush(broker)) {
            (Class::Weak, _) => true,
            (_, Flush::Sync) => false,
            (_, Flush::Async) => match flush(entry, said, broker, ledger) {
                Flushed::Failed => true,
                Flushed::By(due_ms) => entry.at_ms <= due_ms,
            },
        },
        // What was written into a file stays with the kernel.
        Fault::ProcessKill => broker.commit_ms.is_some_and(|commit_ms| {
            entry.at_ms <= committed_by(entry, said, commit_ms, broker, ledger)
        }),
        Fault::PagesEvicted => match (said.class, said.flush(broker)) {
            (Class::Ok, Flush::Sync) => false,
            _ => {
                matches!(flush(entry, said, broker, ledger), Flushed::Failed)
                    || stands_behind_hole(entry, said, ledger)
            }
        },
        Fault::SyncError { .. }
        | Fault::InputOutputError { .. }
        | Fault::NoSpace
        | Fault::Stall { .. }
        | Fault::Network { .. }
        | Fault::Clock { .. }
        | Fault::Started
        | Fault::Stopped
        | Fault::GaveUp => false,
    }
}

/// What became of the flush of a message that was answered before it.
enum Flushed {
    /// It is durable by then, in ms of true time.
    By(u64),
    /// A sync failed that it may have been part of: it is in the cache only, and never elsewhere.
    Failed,
}

/// What became of a message's flush, given what struck until `strike`.
fn flush(strike: &Entry, said: &Said, broker: &Broker, ledger: &Ledger) -> Flushed {
    let horizon_ms = broker.horizon_ms + broker.commit_ms.unwrap_or(0);
    let mut due_ms = said.at_ms.saturating_add(horizon_ms);
    let mut stalled_to_ms = 0;
    for entry in ledger.of(&broker.node).filter(|entry| entry.at_ms <= strike.at_ms) {
        let is_within = entry.at_ms <= due_ms;
        match &entry.fault {
            Fault::Stall { for_ms } => {
                stalled_to_ms = entry.at_ms.saturating_add(*for_ms).max(stalled_to_ms);
                due_ms = stalled(entry, *for_ms, said, due_ms);
            }
            // The kernel says that the dirty pages are clean.
            fault if fault.is_log_sync_error() && is_within && entry.at_ms >= said.from_ms => {
                return Flushed::Failed;
            }
            // Nobody flushes while the process is dead; the start after it begins anew.
            Fault::ProcessKill if is_within && entry.at_ms >= said.from_ms => due_ms = u64::MAX,
            Fault::Started if due_ms == u64::MAX => {
                due_ms = entry.at_ms.max(stalled_to_ms).saturating_add(horizon_ms);
            }
            // A clean stop flushes everything.
            Fault::Stopped if entry.at_ms >= said.at_ms => due_ms = due_ms.min(entry.at_ms),
            _ => {}
        }
    }
    Flushed::By(due_ms)
}

/// Whether the append may stand behind a hole that this eviction made. Scenario: 1. the kernel's
/// own writeback of the log fails, and no sync has said so yet; 2. a message is appended; 3. the
/// pages before it are evicted, also before 2; 4. the sync fails at last, the broker gives up, and
/// its next start meets the hole and cuts the tail there.
fn stands_behind_hole(eviction: &Entry, said: &Said, ledger: &Ledger) -> bool {
    let (at, from_ms) = (eviction.index, said.from_ms);
    let until = |entry: &&Entry| entry.index < at || entry.at_ms <= from_ms;
    let until = ledger.of(&eviction.node).take_while(until);
    until.fold(false, |unwritten, entry| match &entry.fault {
        // It walked the tail, and what it kept is synced anew.
        Fault::Started => false,
        fault if fault.is_log_sync_error() => {
            unwritten || entry.index < at && entry.at_ms <= from_ms
        }
        _ => unwritten,
    })
}

/// When it stands in a file, in ms of true time, given what struck until `strike`.
fn committed_by(
    strike: &Entry,
    said: &Said,
    commit_ms: u64,
    broker: &Broker,
    ledger: &Ledger,
) -> u64 {
    let due_ms = said.at_ms.saturating_add(commit_ms);
    let before = ledger.of(&broker.node).filter(|entry| entry.at_ms <= strike.at_ms);
    before.fold(due_ms, |due_ms, entry| match &entry.fault {
        Fault::Stall { for_ms } => stalled(entry, *for_ms, said, due_ms),
        _ => due_ms,
    })
}

/// A stall that overlaps a wait which is due at `due_ms` makes it longer.
fn stalled(entry: &Entry, for_ms: u64, said: &Said, due_ms: u64) -> u64 {
    let overlaps = entry.at_ms.saturating_add(for_ms) >= said.from_ms;
    let longer = if overlaps && entry.at_ms <= due_ms { for_ms } else { 0 };
    due_ms.saturating_add(longer)
}

/// Whether rot at this place of the log may reach a record at `address`: the record itself or one
/// behind, because recovery ends at the first bad record.
fn rots(path: &str, offset: u64, address: Option<PhysicalOffset>) -> bool {
    let mut parts = path.rsplit('/');
    let (name, dir) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if dir != "commitlog" {
        return false;
    }
    match (name.parse::<u64>(), address) {
        (Ok(base), Some(PhysicalOffset(address))) => {
            base + offset < address.saturating_add(RECORD_LEN_BOUND)
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Deletion;

    const H: u64 = 2_000;

    const C: u64 = 300;

    fn broker(flush: Flush) -> Broker {
        Broker { node: "n".into(), flush, horizon_ms: H, commit_ms: None }
    }

    fn said(class: Class) -> Said {
        let address = Some(PhysicalOffset(100_000));
        Said { class, from_ms: 1_000, at_ms: 1_010, address, waits: true }
    }

    fn after(class: Class, flush: Flush, faults: &[(u64, Fault)]) -> Owed {
        after_on(&broker(flush), class, faults)
    }

    fn after_pool(class: Class, faults: &[(u64, Fault)]) -> Owed {
        after_on(&Broker { commit_ms: Some(C), ..broker(Flush::Async) }, class, faults)
    }

    fn after_on(broker: &Broker, class: Class, faults: &[(u64, Fault)]) -> Owed {
        let mut ledger = Ledger::new();
        for (at_ms, fault) in faults {
            ledger.append(*at_ms, "n", fault.clone());
        }
        ledger.append(u64::MAX, "another", Fault::DiskLost);
        owes(&said(class), broker, &ledger)
    }

    fn log() -> String {
        "store/commitlog/00000000000000000000".into()
    }

    const MUST: Owed = Owed::Must;
    const MAY: Owed = Owed::May(Excuse::Fault(0));

    #[test]
    fn every_cell_of_the_table_for_one_fault() {
        use Class::*;
        use Flush::*;
        let late = 1_010 + H + 1;
        for (class, flush, killed, cut_early, cut_late, wiped) in [
            (Ok, Sync, MUST, MUST, MUST, MAY),
            (Ok, Async, MUST, MAY, MUST, MAY),
            (Weak, Sync, MUST, MAY, MAY, MAY),
            (Weak, Async, MUST, MAY, MAY, MAY),
        ] {
            let row = |fault: Fault, at_ms: u64| after(class, flush, &[(at_ms, fault)]);
            assert_eq!(row(Fault::ProcessKill, 1_020), killed, "{class:?} {flush:?}");
            assert_eq!(row(Fault::PowerLoss, 1_010 + H), cut_early, "{class:?} {flush:?}");
            assert_eq!(row(Fault::PowerLoss, late), cut_late, "{class:?} {flush:?}");
            assert_eq!(row(Fault::DiskLost, late), wiped, "{class:?} {flush:?}");
            assert_eq!(row(Fault::DiskLost, 999), MUST, "before it was sent");
            for harmless in [Fault::NoSpace, Fault::Clock { off_by_ms: -9 }, Fault::Started] {
                assert_eq!(row(harmless, 1_020), MUST);
            }
        }
    }

    #[test]
    fn every_cell_of_the_pools_rows() {
        for (class, cut_late) in [(Class::Ok, MUST), (Class::Weak, MAY)] {
            let row = |fault: Fault, at_ms: u64| after_pool(class, &[(at_ms, fault)]);
            assert_eq!(row(Fault::ProcessKill, 999), MUST, "before it was sent");
            assert_eq!(row(Fault::ProcessKill, 1_005), MAY, "before it was answered");
            assert_eq!(row(Fault::ProcessKill, 1_010 + C), MAY);
            assert_eq!(row(Fault::ProcessKill, 1_010 + C + 1), MUST);
            assert_eq!(row(Fault::PowerLoss, 1_010 + H + C), MAY);
            assert_eq!(row(Fault::PowerLoss, 1_010 + H + C + 1), cut_late);
            assert_eq!(row(Fault::DiskLost, 90_000), MAY);
            for harmless in [Fault::NoSpace, Fault::Clock { off_by_ms: -9 }, Fault::Started] {
                assert_eq!(row(harmless, 1_020), MUST);
            }
        }
        let paused = [(1_100, Fault::Stall { for_ms: 500 }), (1_700, Fault::ProcessKill)];
        assert_eq!(after_pool(Class::Ok, &paused), Owed::May(Excuse::Fault(1)));
        assert_eq!(after_pool(Class::Ok, &paused[1..]), MUST);
        let failed = [(1_500, Fault::SyncError { path: log() }), (90_000, Fault::PowerLoss)];
        assert_eq!(after_pool(Class::Ok, &failed), Owed::May(Excuse::Fault(1)));
        let failed_then_killed = [failed[0].clone(), (90_000, Fault::ProcessKill)];
        assert_eq!(after_pool(Class::Ok, &failed_then_killed), MUST, "it was committed");
    }

    #[test]
    fn an_answer_that_did_not_wait_promises_what_async_flush_does() {
        let hasty = Said { waits: false, ..said(Class::Ok) };
        for (at_ms, owed) in [(1_010 + H, MAY), (1_011 + H, MUST)] {
            let mut ledger = Ledger::new();
            ledger.append(at_ms, "n", Fault::PowerLoss);
            assert_eq!(owes(&hasty, &broker(Flush::Sync), &ledger), owed);
            assert_eq!(owes(&hasty, &broker(Flush::Async), &ledger), owed);
        }
    }

    #[test]
    fn what_was_not_answered_may_be_there_and_what_was_refused_must_not() {
        assert_eq!(after(Class::Unknown, Flush::Sync, &[]), Owed::May(Excuse::Unknown));
        assert_eq!(after(Class::Rejected, Flush::Sync, &[(1_020, Fault::DiskLost)]), Owed::MustNot);
    }

    #[test]
    fn a_power_loss_between_append_and_answer_excuses_async_flush() {
        assert_eq!(after(Class::Ok, Flush::Async, &[(1_005, Fault::PowerLoss)]), MAY);
        assert_eq!(after(Class::Ok, Flush::Sync, &[(1_005, Fault::PowerLoss)]), MUST);
    }

    #[test]
    fn a_stall_moves_the_horizon_and_a_failed_sync_removes_it() {
        let cut = 1_010 + H + 500;
        let stalled = [(900, Fault::Stall { for_ms: 600 }), (cut, Fault::PowerLoss)];
        assert_eq!(after(Class::Ok, Flush::Async, &stalled), Owed::May(Excuse::Fault(1)));
        // A start on a disk that still stands still; big_messages, seed 669581.
        let (kill, stall) = ((1_020, Fault::ProcessKill), (1_100, Fault::Stall { for_ms: 900 }));
        let started = [kill, stall, (1_200, Fault::Started), (2_000 + H, Fault::PowerLoss)];
        assert_eq!(after(Class::Ok, Flush::Async, &started), Owed::May(Excuse::Fault(3)));
        let later = (2_001 + H, Fault::PowerLoss);
        let later = [&started[..3], &[later]].concat();
        assert_eq!(after(Class::Ok, Flush::Async, &later), MUST);
        let over = [(300, Fault::Stall { for_ms: 600 }), (cut, Fault::PowerLoss)];
        assert_eq!(after(Class::Ok, Flush::Async, &over), MUST);
        let failed = [(1_500, Fault::SyncError { path: log() }), (90_000, Fault::PowerLoss)];
        assert_eq!(after(Class::Ok, Flush::Async, &failed), Owed::May(Excuse::Fault(1)));
        let evicted = [(1_500, Fault::SyncError { path: log() }), (90_000, Fault::PagesEvicted)];
        assert_eq!(after(Class::Ok, Flush::Async, &evicted), Owed::May(Excuse::Fault(1)));
        assert_eq!(after(Class::Weak, Flush::Sync, &evicted), Owed::May(Excuse::Fault(1)));
        assert_eq!(after(Class::Ok, Flush::Sync, &evicted), MUST);
        assert_eq!(after(Class::Ok, Flush::Async, &evicted[1..]), MUST);
        let (unwritten, started) = (evicted[0].1.clone(), (750, Fault::Started));
        let behind = [(500, unwritten), (90_000, Fault::PagesEvicted)];
        assert_eq!(after(Class::Ok, Flush::Async, &behind), Owed::May(Excuse::Fault(1)));
        assert_eq!(after(Class::Ok, Flush::Sync, &behind), MUST);
        let walked = [behind[0].clone(), started.clone(), behind[1].clone()];
        assert_eq!(after(Class::Ok, Flush::Async, &walked), MUST);
        let evicted_before = [behind[0].clone(), (700, Fault::PagesEvicted)];
        assert_eq!(after(Class::Ok, Flush::Async, &evicted_before), Owed::May(Excuse::Fault(1)));
        assert_eq!(after(Class::Ok, Flush::Async, &evicted_before[1..]), MUST);
        let walked = [behind[0].clone(), (700, Fault::PagesEvicted), started];
        assert_eq!(after(Class::Ok, Flush::Async, &walked), MUST);
        let elsewhere = Fault::SyncError { path: "config/topics.json".into() };
        let other = [(1_500, elsewhere), (90_000, Fault::PowerLoss)];
        assert_eq!(after(Class::Ok, Flush::Async, &other), MUST);
    }

    #[test]
    fn rot_excuses_the_record_it_struck_and_those_behind_it() {
        let rot = |offset| [(1_500, Fault::BitRot { path: log(), offset, len: 1 })];
        assert_eq!(after(Class::Ok, Flush::Sync, &rot(100_050)), MAY);
        assert_eq!(after(Class::Ok, Flush::Sync, &rot(7)), MAY);
        assert_eq!(after(Class::Ok, Flush::Sync, &rot(100_000 + RECORD_LEN_BOUND)), MUST);
        let misdirected = Fault::Misdirected { path: log(), offset: 4_096, len: 4_096 };
        assert_eq!(after(Class::Ok, Flush::Sync, &[(1_500, misdirected)]), MAY);
        let path = "consumequeue/t/0/00000000000000000000".into();
        let queue = Fault::BitRot { path, offset: 0, len: 1 };
        assert_eq!(after(Class::Ok, Flush::Sync, &[(1_500, queue)]), MUST);
    }

    #[test]
    fn damage_waits_in_the_tail_for_what_is_sent_behind_it_until_a_start_walks_it() {
        let rot = |offset| (500, Fault::BitRot { path: log(), offset, len: 1 });
        let misdirected = |offset| (500, Fault::Misdirected { path: log(), offset, len: 4_096 });
        let after = |faults: &[(u64, Fault)]| after(Class::Ok, Flush::Sync, faults);
        let (killed, started) = ((600, Fault::ProcessKill), (700, Fault::Started));
        let later = (90_000, Fault::ProcessKill);
        assert_eq!(after(&[rot(7), later.clone()]), MAY, "a kill cuts it with the rot before it");
        assert_eq!(after(&[rot(100_000 + RECORD_LEN_BOUND), later.clone()]), MUST, "before it");
        assert_eq!(after(&[rot(7), started.clone()]), MAY, "that start began before");
        assert_eq!(after(&[rot(7), killed.clone(), started.clone(), later]), MUST, "walked");
        assert_eq!(after(&[rot(7), killed.clone(), (1_500, Fault::Started)]), MAY, "sent before");
        let cut = (600, Fault::PowerLoss);
        assert_eq!(after(&[misdirected(4_096), killed, started.clone()]), MAY, "the cache hid it");
        assert_eq!(after(&[misdirected(4_096), cut, started]), MUST, "the start saw the device");
    }

    #[test]
    fn a_deletion_excuses_what_stood_below_its_end_and_nothing_else() {
        let deletion = |end| Deletion {
            base: 0,
            end,
            newest_ms: Some(1),
            at_ms: 1_500,
            kept_ms: 1,
            used_percent: 0,
            forcible_percent: 85,
            older_left: false,
            was_last: false,
        };
        let deleted = |end| [(1_500, Fault::Deleted(deletion(end)))];
        assert_eq!(after(Class::Ok, Flush::Sync, &deleted(100_001)), MAY);
        assert_eq!(after(Class::Ok, Flush::Sync, &deleted(100_000)), MUST);
        assert_eq!(after(Class::Rejected, Flush::Sync, &deleted(100_001)), Owed::MustNot);
    }

    #[test]
    fn a_dead_process_flushes_nothing() {
        let taken = |faults: &[(u64, Fault)], lost_ms| {
            let mut ledger = Ledger::default();
            for (at_ms, fault) in faults {
                ledger.append(*at_ms, "n", fault.clone());
            }
            ledger.append(lost_ms, "n", Fault::PowerLoss);
            !owes(&said(Class::Ok), &broker(Flush::Async), &ledger).is_must()
        };
        let killed = (1_010 + H - 1, Fault::ProcessKill);
        let late = (1_010 + H + 1, Fault::ProcessKill);
        let started = (90_000, Fault::Started);
        assert!(taken(std::slice::from_ref(&killed), 80_000), "dead when it was due");
        assert!(!taken(&[late], 80_000), "it was due before");
        assert!(taken(&[killed.clone(), started.clone()], 90_000 + H));
        assert!(!taken(&[killed, started], 90_001 + H), "the next start had time for it");
    }

    #[test]
    fn the_horizon_covers_a_look_just_missed_and_the_thorough_flush() {
        assert_eq!(horizon_ms(500, 0, 10_000), 2_000);
        assert_eq!(horizon_ms(500, 4, 10_000), 12_000);
    }
}
