//! The disk of one node: what its file system is, apart from who asks.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{collections::BTreeMap, io};

use runtime::Rng;
use tokio::sync::Notify;

use super::crash::Moment;
use super::error;
use super::file::{Inode, Survival, Toll};
use super::knobs::Knobs;
use super::page::{PAGE, Pages};
use super::tree::{Target, Tree, clean, parent};
use crate::ground::Ground;
use crate::incident::{Incident, IncidentKind};
use crate::node::Node;
use crate::removal::Removal;

/// The disk of one node, the same through every restart. Clones are the same disk.
#[derive(Clone)]
pub(crate) struct NodeDisk(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) ground: Ground,
    pub(crate) node: Node,
    /// Which incarnation of the process may use it.
    epoch: AtomicU64,
    /// What all files take, in bytes.
    used: Arc<AtomicU64>,
    state: Mutex<State>,
    /// Rung when a stalled disk goes on.
    released: Notify,
    /// How many awaited operations have begun, and what is rung then.
    operations: AtomicU64,
    operated: Notify,
    /// How many awaited operations have not ended.
    under_way: AtomicU64,
    latency: Rng,
    errors: Rng,
    crashes: Rng,
    pub(crate) writeback: Rng,
}

/// What changes.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) tree: Tree,
    pub(crate) knobs: Knobs,
    /// Who holds the lock of which file.
    pub(crate) locks: BTreeMap<String, u64>,
    numbers: u64,
    /// A task will write dirty pages back.
    pub(crate) writeback_due: bool,
    /// Some page's writeback failed, and no sync of everything has said so yet.
    pub(crate) failed_unseen: bool,
    /// What was noted since the disk is recorded, if it is.
    pub(crate) moments: Option<Vec<Moment>>,
}

impl State {
    /// The file of that name.
    pub(crate) fn file(&self, path: &str) -> io::Result<Arc<Inode>> {
        match self.tree.get(path) {
            Some(Target::File(file)) => Ok(file.clone()),
            Some(Target::Directory) => Err(error::is_a_directory(path)),
            None => Err(error::not_found(path)),
        }
    }

    /// A number that nothing else on this disk has.
    pub(crate) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }
}

impl NodeDisk {
    pub(crate) fn new(ground: Ground, node: Node) -> Self {
        let stream = |part: &str| ground.stream(&format!("disk/{node}/{part}"));
        let (latency, errors) = (stream("latency"), stream("errors"));
        let (crashes, writeback) = (stream("crashes"), stream("writeback"));
        Self(Arc::new(Shared {
            ground,
            node,
            epoch: AtomicU64::new(1),
            used: Arc::default(),
            state: Mutex::default(),
            released: Notify::new(),
            operations: AtomicU64::new(0),
            operated: Notify::new(),
            under_way: AtomicU64::new(0),
            latency,
            errors,
            crashes,
            writeback,
        }))
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.0
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which incarnation may use the disk now.
    pub(crate) fn epoch(&self) -> u64 {
        self.0.epoch.load(Ordering::Relaxed)
    }

    /// The process dies: its handles are fenced, its locks are given back, its page cache stays.
    pub(crate) fn fence(&self) {
        self.0.epoch.fetch_add(1, Ordering::Relaxed);
        self.state().locks.clear();
    }

    /// The power goes. The process must have been fenced.
    pub(crate) fn power_fail(&self) {
        let mut state = self.state();
        let rng = &self.0.crashes;
        let drawn = [0.0, 0.1, 0.5, 0.5, 0.9, 1.0][rng.below(6) as usize];
        let lost = state.knobs.lost.unwrap_or(drawn);
        let survival = Survival { lost, torn: state.knobs.torn };
        let files = state.tree.files();
        let tolls: Vec<Toll> =
            files.values().map(|file| file.content().power_fail(rng, survival)).collect();
        let undone = state.tree.power_fail(rng, lost);
        self.note_tolls(&tolls, undone);
        for file in state.tree.files().values() {
            let takes = file.content().takes();
            file.charge(takes);
        }
        let percent = (lost * 100.0) as u64;
        self.0.record("power-fail", [undone, percent], format_args!("names undone, % lost"));
    }

    /// Notes what became of what was not synced, each kind once.
    fn note_tolls(&self, tolls: &[Toll], undone: u64) {
        let any = |of: fn(&Toll) -> u64| tolls.iter().any(|toll| of(toll) > 0);
        let (lost, torn, kept) = (any(|t| t.lost), any(|t| t.torn), any(|t| t.kept));
        // A page of one file reached the device and one of another did not, whichever was first.
        let reordered = tolls.len() > 1 && lost && kept;
        let struck = [
            (IncidentKind::PagesLost, lost),
            (IncidentKind::PagesTorn, torn),
            (IncidentKind::FilesReordered, reordered),
            (IncidentKind::NamesLost, undone > 0),
        ];
        for (kind, _) in struck.into_iter().filter(|(_, struck)| *struck) {
            self.0.note(kind, "");
        }
    }

    /// Everything is gone, as on a new machine. The process must have been fenced.
    pub(crate) fn wipe(&self) {
        let mut state = self.state();
        state.tree = Tree::default();
        self.0.record("wipe", [0, 0], format_args!(""));
    }

    /// A file that does not exist yet, of a length that must fit.
    pub(crate) fn new_file(
        &self,
        state: &mut State,
        path: &str,
        len: u64,
    ) -> io::Result<Arc<Inode>> {
        self.make_room(state, path, len)?;
        let file = Arc::new(Inode::new(state.number(), self.0.used.clone()));
        file.charge(len);
        Ok(file)
    }

    /// Fails unless `len` more bytes fit.
    pub(crate) fn make_room(&self, state: &State, path: &str, len: u64) -> io::Result<()> {
        let available = self.available(state);
        if len <= available {
            return Ok(());
        }
        self.0.note(IncidentKind::NoSpace, path);
        Err(error::full(path, len, available))
    }

    /// Gives a sparse file the pages that a write to `offset .. offset + len` needs; says how many
    /// of those bytes found room.
    pub(crate) fn grow(&self, state: &State, file: &Inode, offset: u64, len: u64) -> u64 {
        let content = file.content();
        let mut takes = content.takes();
        let room = takes + self.available(state);
        let mut end = offset + len;
        for page in Pages::touched(offset, len) {
            let more = if content.cache().holds(page) { 0 } else { PAGE };
            if takes + more > room {
                end = (page * PAGE).max(offset);
                break;
            }
            takes += more;
        }
        drop(content);
        file.charge(takes);
        end - offset
    }

    /// Notes that a program removed a file.
    pub(crate) fn note_removal(&self, state: &State, path: &str, file: &Inode) {
        let left = state.tree.below(parent(path)).filter_map(|(name, target)| match target {
            Target::File(file) => Some((name.to_owned(), !file.content().cache().is_zero())),
            Target::Directory => None,
        });
        let content = file.content();
        self.0.ground.removals.note(Removal {
            at: self.0.ground.now(),
            node: self.0.node.clone(),
            path: path.to_owned(),
            bytes: content.read(0, content.len()).into(),
            left: left.collect(),
            used: self.0.used.load(Ordering::Relaxed),
            capacity: state.knobs.capacity,
        });
    }

    /// What is left, in bytes.
    pub(crate) fn available(&self, state: &State) -> u64 {
        state.knobs.capacity.saturating_sub(self.0.used.load(Ordering::Relaxed))
    }

    /// One latency, in two parts: before an operation takes effect, and after.
    pub(crate) fn draw_latency(&self) -> (Duration, Duration) {
        self.0.operations.fetch_add(1, Ordering::Relaxed);
        self.0.operated.notify_waiters();
        let (latency, slow) = {
            let knobs = &self.state().knobs;
            (knobs.latency, knobs.slow)
        };
        let all = latency.draw(&self.0.latency) * slow;
        let before = all * (self.0.latency.below(101) as u32) / 100;
        (before, all - before)
    }

    /// Returns when so many more awaited operations have begun.
    pub(crate) async fn after_operations(&self, count: u64) {
        let end = self.0.operations.load(Ordering::Relaxed) + count;
        loop {
            let operated = self.0.operated.notified();
            if self.0.operations.load(Ordering::Relaxed) >= end {
                return;
            }
            operated.await;
        }
    }

    /// Waits so long, and on while the disk is stalled.
    pub(crate) async fn wait(&self, duration: Duration) {
        let _under_way = UnderWay::begin(&self.0);
        if !duration.is_zero() {
            self.0.ground.after(duration).await;
        }
        loop {
            let released = self.0.released.notified();
            if !self.state().knobs.stalled {
                return;
            }
            released.await;
        }
    }

    /// How many awaited operations have not ended.
    pub(crate) fn under_way(&self) -> u64 {
        self.0.under_way.load(Ordering::Relaxed)
    }

    /// Whether nothing that is awaited ends.
    pub(crate) fn is_stalled(&self) -> bool {
        self.state().knobs.stalled
    }

    /// One bit of a file turns over. Whether there is such a file.
    pub(crate) fn rot(&self, path: &str, offset: u64, bit: u8) -> bool {
        let file = clean(path).and_then(|path| self.state().file(&path));
        file.map(|file| file.content().rot(offset, bit)).is_ok()
    }

    /// The pages that the device holds as they were written, in order: file and page number.
    pub(crate) fn clean_pages(&self) -> Vec<(String, u64)> {
        let state = self.state();
        let named = state.tree.cached().iter();
        named
            .flat_map(|(path, target)| {
                let Target::File(file) = target else { return Vec::new() };
                let pages = file.content().clean_pages();
                pages.into_iter().map(|page| (path.clone(), page)).collect()
            })
            .collect()
    }

    /// A page of a file cannot be read any more. Whether there is such a file.
    pub(crate) fn spoil(&self, path: &str, offset: u64) -> bool {
        let file = clean(path).and_then(|path| self.state().file(&path));
        file.map(|file| file.content().spoil(offset)).is_ok()
    }

    /// Every page can be read again.
    pub(crate) fn mend(&self) {
        self.state().tree.files().values().for_each(|file| file.content().mend());
    }

    /// Whether a sync that writes pages of that file now puts one of them in a wrong place.
    pub(crate) fn misdirects(&self, path: &str) -> bool {
        let knobs = &mut self.state().knobs;
        let misdirects = knobs.misdirections_due > 0 && path.contains(&knobs.misdirections_within);
        knobs.misdirections_due -= u32::from(misdirects);
        misdirects
    }

    /// A number below `bound` for a choice that an error makes.
    pub(crate) fn pick(&self, bound: u64) -> u64 {
        self.0.errors.below(bound)
    }

    /// Every clean page drops out of the cache.
    pub(crate) fn evict(&self) {
        self.state().tree.files().values().for_each(|file| file.content().evict());
    }

    /// Changes how the disk behaves from now on.
    pub(crate) fn turn(&self, turn: impl FnOnce(&mut Knobs)) {
        turn(&mut self.state().knobs);
        self.0.released.notify_waiters();
    }

    /// Whether something with that chance goes wrong now; draws only if it may.
    pub(crate) fn goes_wrong(&self, chance: f64) -> bool {
        chance > 0.0 && self.0.errors.chance(chance)
    }

    /// Whether a sync that ends now fails.
    pub(crate) fn sync_fails(&self) -> bool {
        let chance = {
            let knobs = &mut self.state().knobs;
            if knobs.sync_errors_due > 0 {
                knobs.sync_errors_due -= 1;
                return true;
            }
            knobs.sync_error
        };
        self.goes_wrong(chance)
    }

    /// A choice that a failing or partial operation makes.
    pub(crate) fn coin(&self) -> bool {
        self.0.errors.chance(0.5)
    }
}

/// An operation that has not ended; it ends when this is dropped.
struct UnderWay<'a>(&'a Shared);

impl<'a> UnderWay<'a> {
    fn begin(shared: &'a Shared) -> Self {
        shared.under_way.fetch_add(1, Ordering::Relaxed);
        Self(shared)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Shared {
    /// Where the files of this disk count what they take.
    pub(crate) fn used(&self) -> Arc<AtomicU64> {
        self.used.clone()
    }

    /// The error that an operation on `path` is answered with because somebody wanted it so.
    pub(crate) fn injected(&self, kind: IncidentKind, path: &str) -> std::io::Error {
        self.note(kind, path);
        error::failed(path, &format!("{kind:?}").to_lowercase())
    }

    /// Notes an injected error that struck.
    pub(crate) fn note(&self, kind: IncidentKind, path: &str) {
        self.note_at(kind, path, None);
    }

    /// As [`Shared::note`], for some bytes of a file.
    pub(crate) fn note_at(&self, kind: IncidentKind, path: &str, range: Option<Range<u64>>) {
        let (at, node) = (self.ground.now(), self.node.clone());
        self.ground.incidents.note(Incident { at, node, kind, path: path.to_owned(), range });
    }

    /// Puts an event of this disk into the trace.
    pub(crate) fn record(
        &self,
        what: &'static str,
        numbers: [u64; 2],
        detail: std::fmt::Arguments<'_>,
    ) {
        self.ground.record(&self.node, what, numbers, detail);
    }
}
