//! Every crash that a stretch of time allows: not the one that a seed drew, but all of them.
//!
//! While a disk is *recorded*, its state is noted after each of its operations; pages are shared,
//! so a moment costs little. From the moments follow the disks that a crash may leave behind: after
//! each operation, with each prefix of what was still under way to the device, or with a random
//! part of it. Each can be laid on a node, to see what starts there.

use std::collections::{BTreeMap, BTreeSet};

use runtime::Rng;

use super::file::{Content, Survival};
use super::page::Pages;
use super::tree::{Change, Names, apply, mend_directories};

/// All of a disk, right after one of its operations.
#[derive(Clone)]
pub(crate) struct Moment {
    /// What was done, and to what.
    pub(super) operation: String,
    /// The names that the device holds.
    pub(super) names: Names,
    /// The changes of names under way, with their numbers, oldest first.
    pub(super) pending: Vec<(u64, Change)>,
    /// How many changes of names there had been.
    pub(super) changes: u64,
    pub(super) files: BTreeMap<u64, Content>,
}

/// What a crash left on a disk: every name and every byte.
#[derive(Clone)]
pub struct Wreck {
    pub(super) names: Names,
    /// The bytes of each file, and whether it is sparse.
    pub(super) files: BTreeMap<u64, (Pages, bool)>,
}

/// The moments of a recorded disk, oldest first; the first stands before all operations.
pub struct Crashes(Vec<Moment>);

impl Crashes {
    pub(crate) fn new(moments: Vec<Moment>) -> Self {
        Self(moments)
    }

    /// How many operations were recorded.
    pub fn operations(&self) -> usize {
        self.0.len().saturating_sub(1)
    }

    /// What operation `at`, counted from 1, was; the state before the first for 0.
    pub fn operation(&self, at: usize) -> &str {
        &self.0[at].operation
    }

    /// What the death of the process after operation `at` leaves: the page cache.
    pub fn killed(&self, at: usize) -> Wreck {
        self.wreck(at, at, &self.dirty(at))
    }

    /// What a power failure after operation `at` leaves when a prefix of everything that was under
    /// way reached the device: every such prefix, the longest first, the empty one last.
    pub fn prefixes(&self, at: usize) -> Vec<Wreck> {
        let mut wrecks = vec![self.killed(at)];
        let mut kept = self.dirty(at);
        for earlier in (0..at).rev() {
            let (before, after) = (&self.0[earlier], &self.0[earlier + 1]);
            let differs = before.changes != after.changes
                || kept.iter().any(|&(file, page)| !before.shows_as(after, file, page))
                || before.lengths() != after.lengths();
            kept.retain(|&(file, page)| before.is_dirty(file, page));
            if differs {
                wrecks.push(self.wreck(at, earlier, &kept));
            }
            let names = self.0[at].pending.first().is_some_and(|(id, _)| *id < before.changes);
            if kept.is_empty() && !names {
                break;
            }
        }
        wrecks.push(self.wreck(at, at, &BTreeSet::new()).without(&self.0[at]));
        wrecks
    }

    /// What a power failure after operation `at` leaves when a random part of what was under way
    /// reached the device, pages torn between sectors included.
    pub fn sample(&self, at: usize, rng: &Rng) -> Wreck {
        let moment = &self.0[at];
        let lost = [0.1, 0.5, 0.9][rng.below(3) as usize];
        let mut names = moment.names.clone();
        for (_, change) in moment.pending.iter().filter(|_| !rng.chance(lost)) {
            apply(change.clone(), &mut names);
        }
        mend_directories(&mut names);
        let survived = |content: &Content| {
            let mut content = content.clone();
            content.power_fail(rng, Survival { lost, torn: 0.3 });
            (content.durable().clone(), content.is_sparse())
        };
        let files = moment.files.iter().map(|(id, content)| (*id, survived(content))).collect();
        Wreck { names, files }
    }

    /// The pages that are not on the device after operation `at`.
    fn dirty(&self, at: usize) -> BTreeSet<(u64, u64)> {
        let files = self.0[at].files.iter();
        files.flat_map(|(id, content)| content.dirty().map(|page| (*id, page))).collect()
    }

    /// The device as of operation `at`, with `kept` pages and all names as they were shown after
    /// operation `until`.
    fn wreck(&self, at: usize, until: usize, kept: &BTreeSet<(u64, u64)>) -> Wreck {
        let (moment, shown) = (&self.0[at], &self.0[until]);
        let mut names = moment.names.clone();
        for (_, change) in moment.pending.iter().filter(|(id, _)| *id < shown.changes) {
            apply(change.clone(), &mut names);
        }
        mend_directories(&mut names);
        let mut files = BTreeMap::new();
        for (id, content) in &moment.files {
            let pages = match shown.files.get(id) {
                Some(shown) => {
                    let kept = kept.range((*id, 0)..=(*id, u64::MAX)).map(|(_, page)| *page);
                    content.with_pages_of(shown, kept)
                }
                None => content.durable().clone(),
            };
            files.insert(*id, (pages, content.is_sparse()));
        }
        Wreck { names, files }
    }
}

impl Moment {
    fn is_dirty(&self, file: u64, page: u64) -> bool {
        self.files.get(&file).is_some_and(|content| content.is_dirty(page))
    }

    /// Whether both moments show the page alike.
    fn shows_as(&self, other: &Moment, file: u64, page: u64) -> bool {
        match (self.files.get(&file), other.files.get(&file)) {
            (Some(one), Some(other)) => one.cache().shares(other.cache(), page),
            _ => false,
        }
    }

    fn lengths(&self) -> Vec<(u64, u64)> {
        self.files.iter().map(|(id, content)| (*id, content.len())).collect()
    }
}

impl Wreck {
    /// Takes away whatever was under way at the moment: names and lengths, too.
    fn without(mut self, moment: &Moment) -> Self {
        self.names = moment.names.clone();
        for (id, content) in &moment.files {
            self.files.insert(*id, (content.durable().clone(), content.is_sparse()));
        }
        self
    }
}
