//! Names: what the process sees, and what the device holds of them.
//!
//! Creating, renaming and removing change the cached names at once and stand as pending changes
//! until their directory is synced. At a power failure some of the pending changes reached the
//! device and some did not; a rename is one change, so it happens whole or not at all.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use runtime::Rng;

use super::error;
use super::file::Inode;

/// What a name leads to.
#[derive(Clone)]
pub(crate) enum Target {
    File(Arc<Inode>),
    Directory,
}

/// Names and where they lead.
pub(crate) type Names = BTreeMap<String, Target>;

/// A change of names that the device may not have yet.
#[derive(Clone)]
pub(crate) enum Change {
    Link { path: String, file: Arc<Inode> },
    Unlink { path: String, file: Arc<Inode> },
    Rename { from: String, to: String, file: Arc<Inode> },
    RemoveDirectory { path: String },
}

impl Change {
    fn removes(&self, directory: &str) -> bool {
        matches!(self, Self::RemoveDirectory { path } if path == directory)
    }

    fn touches(&self, directory: &str) -> bool {
        match self {
            Self::Link { path, .. }
            | Self::Unlink { path, .. }
            | Self::RemoveDirectory { path } => parent(path) == directory,
            Self::Rename { from, to, .. } => parent(from) == directory || parent(to) == directory,
        }
    }
}

/// Makes the change.
pub(crate) fn apply(change: Change, names: &mut Names) {
    match change {
        Change::Link { path, file } => drop(names.insert(path, Target::File(file))),
        Change::Unlink { path, file } => remove_if(names, &path, &file),
        Change::Rename { from, to, file } => {
            remove_if(names, &from, &file);
            names.insert(to, Target::File(file));
        }
        Change::RemoveDirectory { path } => drop(names.remove(&path)),
    }
}

/// Removes the name if it still leads to that file.
fn remove_if(names: &mut Names, path: &str, file: &Arc<Inode>) {
    if matches!(names.get(path), Some(Target::File(at)) if Arc::ptr_eq(at, file)) {
        names.remove(path);
    }
}

/// The directory that holds `path`; the empty string for the root.
pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// The path in its one spelling: no empty parts, no `.`.
///
/// # Errors
/// `InvalidInput` for a path that is not below the root.
pub(crate) fn clean(path: &str) -> io::Result<String> {
    if path.starts_with('/') || path.split('/').any(|part| part == "..") {
        return Err(error::not_below_the_root(path));
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    Ok(parts.join("/"))
}

/// The names of a disk.
#[derive(Default)]
pub(crate) struct Tree {
    cached: Names,
    durable: Names,
    /// With their numbers, oldest first.
    pending: Vec<(u64, Change)>,
    /// How many changes there have been.
    changes: u64,
}

impl Tree {
    pub(crate) fn get(&self, path: &str) -> Option<&Target> {
        self.cached.get(path)
    }

    pub(crate) fn is_directory(&self, path: &str) -> bool {
        path.is_empty() || matches!(self.cached.get(path), Some(Target::Directory))
    }

    pub(crate) fn cached(&self) -> &Names {
        &self.cached
    }

    pub(crate) fn durable(&self) -> &Names {
        &self.durable
    }

    /// The changes that the device may not have, with their numbers, oldest first.
    pub(crate) fn pending(&self) -> &[(u64, Change)] {
        &self.pending
    }

    /// How many changes there have been.
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    /// Takes these names in place of all there are, durably.
    pub(crate) fn lay(&mut self, names: Names) {
        *self = Self { cached: names.clone(), durable: names, ..Self::default() };
    }

    /// The name leads to that file, durably, and its directories are there.
    pub(crate) fn lay_file(&mut self, path: &str, file: Arc<Inode>) {
        self.make_directories(parent(path));
        for names in [&mut self.cached, &mut self.durable] {
            names.insert(path.to_owned(), Target::File(file.clone()));
        }
    }

    fn push(&mut self, change: Change) {
        self.pending.push((self.changes, change));
        self.changes += 1;
    }

    /// The names right below a directory, with what they lead to.
    pub(crate) fn below<'a>(
        &'a self,
        directory: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Target)> {
        self.under(directory).filter(|(name, _)| !name.contains('/'))
    }

    /// Everything below a directory, with its path from there.
    pub(crate) fn under<'a>(
        &'a self,
        directory: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Target)> {
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        let start = prefix.clone();
        self.cached
            .range(start..)
            .map_while(move |(path, target)| Some((path.strip_prefix(&prefix)?, target)))
    }

    /// Every file that a name leads to, cached or durable or on its way, once and in the order of
    /// their numbers.
    pub(crate) fn files(&self) -> BTreeMap<u64, Arc<Inode>> {
        let named = self.cached.values().chain(self.durable.values());
        let named = named.filter_map(|target| match target {
            Target::File(file) => Some(file),
            Target::Directory => None,
        });
        let pending = self.pending.iter().filter_map(|(_, change)| match change {
            Change::Link { file, .. }
            | Change::Unlink { file, .. }
            | Change::Rename { file, .. } => Some(file),
            Change::RemoveDirectory { .. } => None,
        });
        named.chain(pending).map(|file| (file.id, file.clone())).collect()
    }

    /// The name of a file that the process sees; empty when it has none any more.
    pub(crate) fn name_of(&self, file: &Arc<Inode>) -> String {
        let leads = |target: &Target| matches!(target, Target::File(at) if Arc::ptr_eq(at, file));
        let named = self.cached.iter().find(|(_, target)| leads(target));
        named.map(|(path, _)| path.clone()).unwrap_or_default()
    }

    pub(crate) fn link(&mut self, path: &str, file: Arc<Inode>) {
        self.cached.insert(path.to_owned(), Target::File(file.clone()));
        self.push(Change::Link { path: path.to_owned(), file });
    }

    pub(crate) fn unlink(&mut self, path: &str) {
        if let Some(Target::File(file)) = self.cached.remove(path) {
            self.push(Change::Unlink { path: path.to_owned(), file });
        }
    }

    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        if let Some(Target::File(file)) = self.cached.remove(from) {
            self.cached.insert(to.to_owned(), Target::File(file.clone()));
            let (from, to) = (from.to_owned(), to.to_owned());
            self.push(Change::Rename { from, to, file });
        }
    }

    /// Creates the directory and all above it, durably.
    pub(crate) fn make_directories(&mut self, path: &str) {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        for end in ends.filter(|&end| end > 0) {
            let directory = &path[..end];
            self.pending.retain(|(_, change)| !change.removes(directory));
            self.cached.insert(directory.to_owned(), Target::Directory);
            self.durable.insert(directory.to_owned(), Target::Directory);
        }
    }

    pub(crate) fn remove_directory(&mut self, path: &str) {
        self.cached.remove(path);
        self.push(Change::RemoveDirectory { path: path.to_owned() });
    }

    /// The device takes every pending change of the names in that directory.
    pub(crate) fn sync(&mut self, directory: &str) {
        let (here, elsewhere) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(|(_, change): &(u64, Change)| change.touches(directory));
        self.pending = elsewhere;
        for (_, change) in here {
            apply(change, &mut self.durable);
        }
    }

    /// Whether the device misses a change.
    pub(crate) fn is_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The device takes every pending change, as a journal's commit does.
    pub(crate) fn commit(&mut self) {
        for (_, change) in std::mem::take(&mut self.pending) {
            apply(change, &mut self.durable);
        }
    }

    /// The power goes: a prefix of the pending changes reached the device (a journal), or any of
    /// them (no journal). Returns how many did not.
    pub(crate) fn power_fail(&mut self, rng: &Rng, lost: f64) -> u64 {
        let pending = std::mem::take(&mut self.pending);
        let journal = rng.chance(0.5);
        let mut undone = 0;
        for (_, change) in pending {
            let misses = (journal && undone > 0) || rng.chance(lost);
            if misses {
                undone += 1;
            } else {
                apply(change, &mut self.durable);
            }
        }
        mend_directories(&mut self.durable);
        self.cached = self.durable.clone();
        undone
    }
}

/// A directory that still holds a name was not removed after all.
pub(crate) fn mend_directories(names: &mut Names) {
    let mut missing = Vec::new();
    for path in names.keys() {
        let mut above = parent(path);
        while !above.is_empty() && !names.contains_key(above) {
            missing.push(above.to_owned());
            above = parent(above);
        }
    }
    names.extend(missing.into_iter().map(|path| (path, Target::Directory)));
}
