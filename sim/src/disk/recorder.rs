//! Recording a disk's moments, and laying on it what a crash left.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::crash::{Moment, Wreck};
use super::file::Inode;
use super::machine::NodeDisk;
use super::page::Pages;
use super::tree::{Target, clean};

impl NodeDisk {
    /// Begins to note every moment.
    pub(crate) fn record_crashes(&self) {
        self.state().moments = Some(Vec::new());
        self.note_moment("begin", "");
    }

    /// How many operations were noted since then.
    pub(crate) fn recorded_operations(&self) -> usize {
        self.state().moments.as_ref().map_or(0, |moments| moments.len().saturating_sub(1))
    }

    /// Ends the recording and gives what was noted.
    pub(crate) fn recorded_crashes(&self) -> Vec<Moment> {
        self.state().moments.take().unwrap_or_default()
    }

    /// Notes the moment after an operation, if the disk is recorded. No lock of it may be held.
    pub(crate) fn note_moment(&self, what: &str, path: &str) {
        let mut state = self.state();
        if state.moments.is_none() {
            return;
        }
        let files = state.tree.files();
        let moment = Moment {
            operation: format!("{what} {path}"),
            names: state.tree.durable().clone(),
            pending: state.tree.pending().to_vec(),
            changes: state.tree.changes(),
            files: files.iter().map(|(id, file)| (*id, file.content().clone())).collect(),
        };
        if let Some(moments) = &mut state.moments {
            moments.push(moment);
        }
    }

    /// Lays what a crash left in place of everything on the disk. Its process must be dead.
    pub(crate) fn lay(&self, wreck: &Wreck) {
        let mut state = self.state();
        let mut files = BTreeMap::new();
        for (id, (pages, sparse)) in &wreck.files {
            let file = Arc::new(Inode::new(state.number(), self.shared().used()));
            file.content().lay(pages.clone(), *sparse);
            let takes = file.content().takes();
            file.charge(takes);
            files.insert(*id, file);
        }
        let names = wreck.names.iter().map(|(path, target)| {
            let target = match target {
                Target::File(file) => Target::File(files[&file.id].clone()),
                Target::Directory => Target::Directory,
            };
            (path.clone(), target)
        });
        let names = names.collect();
        state.tree.lay(names);
    }

    /// A file that has been on the device for long.
    pub(crate) fn lay_file(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let path = clean(path)?;
        let mut state = self.state();
        let file = Arc::new(Inode::new(state.number(), self.shared().used()));
        let mut pages = Pages::zeros(bytes.len() as u64);
        pages.write(0, bytes);
        file.content().lay(pages, false);
        file.charge(bytes.len() as u64);
        state.tree.lay_file(&path, file);
        Ok(())
    }
}
