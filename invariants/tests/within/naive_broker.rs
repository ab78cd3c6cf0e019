//! A naive broker under faults: all properties at once must be silent about it, and each bug that
//! is planted in it must be told by the property that is meant for it.
//!
//! One queue whose log is a list. Clients overlap, answers are late or lost, the power fails and
//! leaves pages in any order. Everything is drawn from a seed by a small generator of its own.

use std::collections::BTreeSet;

use bytes::Bytes;
use message::QueueOffset;

use crate::disk::{DiskImage, NodeDisk};
use crate::history::{Asked, Boundary, Kind, Outcome, Pull, PullStatus, Question, What};
use crate::identity::Identity;
use crate::ledger::Fault;
use crate::promise::{Broker, Cluster, Flush};
use crate::testing::{
    HORIZON_MS, LOG, QUEUE, address, changed, checkpoint, image, message, placed, queue, seen,
};
use crate::watch::Watch;
use crate::world::{Recovery, RecoveryEnd};

/// What is wrong with the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    None,
    AcksBeforeFlush,
    ShowsBeforeFlush,
    NeverFlushes,
    CutsTooMuch,
    LeavesAHole,
    AcksAfterFailedSync,
    StoresWhatItRefuses,
    NamesTheNextOffset,
    StoresTwice,
    SpoilsBodies,
    ForgetsToDispatch,
    AnswersBeforeItIsReady,
    SkipsADelivery,
    VouchesTooEarly,
    ForgetsTheAbortFile,
    LosesTheCache,
    FindsNothing,
}

/// Numbers from a seed (splitmix64).
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % bound
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

struct Model {
    bug: Bug,
    flush: Flush,
    draw: Draw,
    watch: Watch,
    now_ms: u64,
    sent: u32,
    log: Vec<Identity>,
    /// How much of the log is durable.
    durable: usize,
    /// When the oldest message that is not durable was appended.
    waiting_since_ms: u64,
    /// Whether a sync failed since the last start.
    poisoned: bool,
    /// Answers and deliveries on their way.
    on_their_way: Vec<What>,
    processed: BTreeSet<Identity>,
}

impl Model {
    fn new(bug: Bug, flush: Flush, seed: u64) -> Self {
        let broker = Broker { node: "n".into(), flush, horizon_ms: HORIZON_MS, commit_ms: None };
        let cluster = Cluster::from([("b".to_owned(), broker)]);
        let mut watch = Watch::new(cluster, crate::all());
        let (group, topic) = ("g".to_owned(), "t".to_owned());
        watch.record(0, What::Subscribed { group, topic, tags: None });
        Self {
            bug,
            flush,
            draw: Draw(seed),
            watch,
            now_ms: 1_000,
            sent: 0,
            log: Vec::new(),
            durable: 0,
            waiting_since_ms: 0,
            poisoned: false,
            on_their_way: Vec::new(),
            processed: BTreeSet::new(),
        }
    }

    fn run(mut self) -> Watch {
        for _ in 0..60 {
            self.pass(1);
            match self.draw.below(20) {
                0..=5 => self.send(),
                6..=8 => self.read(),
                9 => self.flush_all(),
                10 | 11 => self.arrive(),
                12..=15 => {
                    let ms = self.draw.below(HORIZON_MS / 2);
                    self.pass(ms);
                }
                16 => self.fail_sync(),
                17 => self.kill(),
                _ => self.fail_power(),
            }
        }
        self.settle();
        self.watch
    }

    /// Lets time pass; what waits for its flush is flushed in time.
    fn pass(&mut self, ms: u64) {
        self.now_ms += ms;
        if self.now_ms - self.waiting_since_ms > HORIZON_MS / 2 && self.bug != Bug::NeverFlushes {
            self.flush_all();
        }
    }

    fn flush_all(&mut self) {
        if !self.poisoned && self.bug != Bug::NeverFlushes {
            self.durable = self.log.len();
        }
    }

    fn record(&mut self, what: What) {
        self.watch.record(self.now_ms, what);
    }

    /// Records now or later, or never.
    fn tell(&mut self, what: What) {
        match self.draw.below(8) {
            0 => {}
            1 | 2 => self.on_their_way.push(what),
            _ => self.record(what),
        }
    }

    fn arrive(&mut self) {
        if !self.on_their_way.is_empty() {
            let at = self.draw.below(self.on_their_way.len() as u64) as usize;
            let what = self.on_their_way.remove(at);
            self.record(what);
        }
    }

    fn append(&mut self, id: Identity) {
        if self.durable == self.log.len() {
            self.waiting_since_ms = self.now_ms;
        }
        self.log.push(id);
        if self.flush == Flush::Sync && !self.draw.one_in(4) {
            self.flush_all();
        }
    }

    fn send(&mut self) {
        let n = self.sent;
        self.sent += 1;
        let id = Identity::new(n / 100, n / 10 % 10, n % 10);
        self.record(What::send_started(&message(id), Kind::Plain));
        let refuses = self.draw.one_in(8);
        let outcome = if (self.poisoned && self.bug != Bug::AcksAfterFailedSync) || refuses {
            if self.bug == Bug::StoresWhatItRefuses {
                self.append(id);
            }
            Outcome::Rejected { code: 14 }
        } else {
            self.append(id);
            let wrong = u64::from(self.bug == Bug::NamesTheNextOffset);
            let place = placed(self.log.len() as u64 - 1 + wrong);
            let is_late = self.flush == Flush::Sync && self.durable < self.log.len();
            if self.bug == Bug::StoresTwice && self.draw.one_in(4) {
                self.append(id);
            }
            // A flush that takes too long is told as such.
            let lies = match self.bug {
                Bug::AcksBeforeFlush => true,
                Bug::AcksAfterFailedSync => self.poisoned,
                _ => false,
            };
            if is_late && !lies { Outcome::Weak(place) } else { Outcome::Ok(place) }
        };
        self.tell(What::SendEnded { id, outcome });
    }

    /// How much of the log readers may see.
    fn visible(&self) -> usize {
        match self.flush {
            Flush::Sync if self.bug != Bug::ShowsBeforeFlush => self.durable,
            _ => self.log.len(),
        }
    }

    fn read(&mut self) {
        let from = self.draw.below(self.visible() as u64 + 1) as usize;
        let pull = self.pull(from);
        if self.bug != Bug::SkipsADelivery || !self.draw.one_in(3) {
            self.process(from);
        }
        self.tell(What::Pulled(pull));
    }

    fn pull(&self, from: usize) -> Pull {
        let max = self.visible();
        let seen = (from..max).map(|n| {
            let mut seen = seen(self.log[n], n as u64);
            if self.bug == Bug::SpoilsBodies {
                seen.digest.0 ^= 1;
            }
            seen
        });
        Pull {
            started_ms: self.now_ms,
            queue: queue(),
            from: QueueOffset(from as u64),
            hold_ms: 0,
            status: if from < max { PullStatus::Found } else { PullStatus::NotFound },
            next: QueueOffset(max as u64),
            min: QueueOffset(0),
            max: QueueOffset(max as u64),
            seen: seen.collect(),
        }
    }

    fn process(&mut self, from: usize) {
        for n in from..self.visible() {
            let id = self.log[n];
            if self.processed.insert(id) {
                self.record(What::Processed { group: "g".into(), consumer: "c".into(), id });
            }
        }
    }

    fn fail_sync(&mut self) {
        if self.durable < self.log.len() && self.draw.one_in(2) {
            self.watch.fault(self.now_ms, "n", Fault::SyncError { path: LOG.into() });
            self.poisoned = true;
        }
    }

    fn kill(&mut self) {
        let before = self.disk(self.log.len());
        let kept = if self.bug == Bug::LosesTheCache { self.durable } else { self.log.len() };
        self.restart(Fault::ProcessKill, before, kept);
    }

    /// The device holds what is durable, perhaps some of what follows, and perhaps more behind a
    /// page that it lost.
    fn fail_power(&mut self) {
        let loose = (self.log.len() - self.durable) as u64;
        let kept = self.durable + self.draw.below(loose + 1) as usize;
        let mut before = self.disk(self.log.len());
        for n in kept..self.log.len() {
            if n == kept || self.draw.one_in(2) {
                before = wiped(before.image, n as u64);
            }
        }
        let kept = if self.bug == Bug::CutsTooMuch { kept.saturating_sub(1) } else { kept };
        self.restart(Fault::PowerLoss, before, kept);
    }

    fn restart(&mut self, fault: Fault, before: NodeDisk, kept: usize) {
        self.watch.fault(self.now_ms, "n", fault);
        self.pass(5);
        if self.bug == Bug::LeavesAHole && kept < self.log.len() {
            self.log[kept] = Identity::new(9, 9, 9);
        } else {
            self.log.truncate(kept);
        }
        self.durable = self.log.len();
        self.poisoned = false;
        self.watch.fault(self.now_ms, "n", Fault::Started);
        let mut after = self.disk(self.log.len());
        if self.bug == Bug::ForgetsToDispatch && kept > 0 {
            after = changed(after.image, QUEUE, |bytes| bytes[kept * 20 - 20..].fill(0));
        }
        let again = Some(after.clone());
        self.watch.recovered(&Recovery { end: RecoveryEnd::Started, before, after, again });
        if self.bug == Bug::AnswersBeforeItIsReady {
            self.pass(1);
            let (max, seen) = (QueueOffset(0), Vec::new());
            let status = PullStatus::NotFound;
            let pull = Pull { max, next: max, seen, status, ..self.pull(0) };
            self.record(What::Pulled(pull));
        }
    }

    fn disk(&self, len: usize) -> NodeDisk {
        let mut image = image(&self.log[..len]);
        // A checkpoint that runs ahead vouches for what is not there yet.
        let ahead = usize::from(self.bug == Bug::VouchesTooEarly);
        let vouched = address((self.durable.min(len) + ahead) as u64);
        image.insert("store/checkpoint".to_owned(), checkpoint(vouched, 7).into());
        image.insert("store/config/topics.json".to_owned(), Bytes::from("{\"t\":{}}"));
        for (path, text) in crate::recovery::LEFT {
            image.insert(path.to_owned(), Bytes::from(text));
        }
        if self.bug != Bug::ForgetsTheAbortFile {
            image.insert("store/abort".to_owned(), Bytes::new());
        }
        NodeDisk::new("n", image)
    }

    /// Starts anew if need be, waits for everything, reads everything back.
    fn settle(&mut self) {
        if self.poisoned {
            self.kill();
        }
        self.pass(2 * HORIZON_MS);
        self.flush_all();
        while !self.on_their_way.is_empty() {
            self.arrive();
        }
        if self.bug != Bug::SkipsADelivery {
            self.process(0);
        }
        self.pass(20_000);
        let at = if self.bug == Bug::FindsNothing { 0 } else { self.visible() };
        let (status, seen) = (PullStatus::NotFound, Vec::new());
        let (next, max) = (QueueOffset(at as u64), QueueOffset(at as u64));
        self.record(What::Pulled(Pull { status, next, max, seen, ..self.pull(at) }));
        let question = Question::Time(8, Boundary::Lower);
        let (started_ms, queue_) = (self.now_ms, queue());
        let answer = QueueOffset(self.visible() as u64);
        self.record(What::Asked(Asked { started_ms, queue: queue_, question, answer }));
        let seen = self.pull(0).seen;
        self.record(What::ReadBack { queue: queue(), seen });
        self.watch.quiet(&[self.disk(self.log.len())]);
    }
}

/// The files without the record at the n-th place of the log.
fn wiped(image: DiskImage, n: u64) -> NodeDisk {
    let path = image.keys().filter(|path| path.contains("commitlog")).nth(n as usize / 5);
    let path = path.expect("the record's file").clone();
    let (from, to) = ((address(n % 5)) as usize, (address(n % 5 + 1)) as usize);
    changed(image, &path, |bytes| {
        let to = to.min(bytes.len());
        bytes[from..to].fill(0);
    })
}

/// The properties that runs broke, up to the first that broke the one that is looked for.
fn broken(bug: Bug, flush: Flush, wanted: &str) -> BTreeSet<&'static str> {
    let mut broken = BTreeSet::new();
    for seed in 0..RUNS {
        let run = Model::new(bug, flush, seed).run();
        broken.extend(run.violations().iter().map(|violation| violation.id));
        if broken.contains(wanted) {
            break;
        }
    }
    broken
}

/// How many seeds a bug may take.
const RUNS: u64 = 300;

mod tests {
    use super::*;

    #[test]
    fn a_broker_without_bugs_is_never_accused() {
        for flush in [Flush::Sync, Flush::Async] {
            for seed in 0..RUNS {
                let violations = Model::new(Bug::None, flush, seed).run().violations();
                let told: Vec<String> = violations.iter().map(ToString::to_string).collect();
                assert!(told.is_empty(), "{flush:?}, seed {seed}: {told:#?}");
            }
        }
    }

    #[test]
    fn every_property_that_the_model_can_reach_really_checks() {
        let mut checks = std::collections::BTreeMap::new();
        for flush in [Flush::Sync, Flush::Async] {
            for seed in 0..50 {
                for found in Model::new(Bug::None, flush, seed).run().found() {
                    *checks.entry(found.claim().id).or_insert(0) += found.checks();
                }
            }
        }
        // The model deletes nothing, has room without end and no keys, nobody probes it, no disk
        // of it rots; its one consumer is no group, and its pulls do not wait.
        const BEYOND: &str = "B1 C1 C2 C4 D8 D9 E1 E2 E3 E4 E5 I19 LP1 LP2 LV1 O3 P5 S11";
        let is_beyond = |id: &str| BEYOND.split(' ').any(|beyond| beyond == id);
        let idle = checks.iter().filter(|(id, checks)| **checks == 0 && !is_beyond(id));
        let idle: Vec<_> = idle.collect();
        assert!(idle.is_empty(), "{idle:?}");
    }

    #[test]
    fn each_bug_is_told_by_the_property_that_is_meant_for_it() {
        for (bug, flush, id) in [
            (Bug::AcksBeforeFlush, Flush::Sync, "D1"),
            (Bug::AcksBeforeFlush, Flush::Sync, "D4"),
            (Bug::ShowsBeforeFlush, Flush::Sync, "D6"),
            (Bug::NeverFlushes, Flush::Async, "D4"),
            (Bug::CutsTooMuch, Flush::Sync, "D4"),
            (Bug::CutsTooMuch, Flush::Async, "D4"),
            (Bug::LeavesAHole, Flush::Async, "D5"),
            (Bug::AcksAfterFailedSync, Flush::Sync, "D7"),
            (Bug::StoresWhatItRefuses, Flush::Sync, "D3"),
            (Bug::StoresWhatItRefuses, Flush::Sync, "P2"),
            (Bug::NamesTheNextOffset, Flush::Sync, "Q5"),
            (Bug::StoresTwice, Flush::Async, "Q5"),
            (Bug::SpoilsBodies, Flush::Sync, "I1"),
            (Bug::ForgetsToDispatch, Flush::Sync, "S2"),
            (Bug::AnswersBeforeItIsReady, Flush::Sync, "Q3"),
            (Bug::SkipsADelivery, Flush::Sync, "C3"),
            (Bug::VouchesTooEarly, Flush::Async, "S6"),
            (Bug::ForgetsTheAbortFile, Flush::Sync, "S7"),
            (Bug::LosesTheCache, Flush::Sync, "D2"),
            (Bug::FindsNothing, Flush::Sync, "Q8"),
        ] {
            let broken = broken(bug, flush, id);
            assert!(broken.contains(id), "{bug:?} under {flush:?} broke only {broken:?}");
        }
    }
}
