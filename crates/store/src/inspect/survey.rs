//! The files of a store, by what they are for. Nothing is opened.

use std::collections::BTreeMap;

use runtime::{Disk, Entry, EntryKind};

use super::error::InspectError;
use crate::layout::{Layout, join, segment_base};

/// One file of a sequence: segments, queue files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// The offset of its first byte, from its name.
    pub(super) base: u64,
    /// Its length in bytes.
    pub(super) len: u64,
    /// Its path.
    pub(super) path: String,
}

impl Piece {
    /// The offset behind its last byte.
    pub(super) fn end(&self) -> u64 {
        self.base + self.len
    }
}

/// The files of one ConsumeQueue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct QueueFiles {
    pub(super) topic: String,
    pub(super) queue_id: u32,
    /// Where they are.
    pub(super) directory: String,
    pub(super) pieces: Vec<Piece>,
}

/// What lies under a store's root.
#[derive(Clone, Debug)]
pub struct Survey {
    pub(super) layout: Layout,
    pub(super) log: Vec<Piece>,
    pub(super) queues: Vec<QueueFiles>,
    /// IndexFiles, by name: path and length.
    pub(super) indexes: Vec<Entry>,
    /// `config/*.json` and their `.bak`: paths and lengths.
    pub(super) configs: Vec<Entry>,
    /// Whether the abort file is there.
    pub(super) unclean: bool,
    /// Files of sequences that have no bytes.
    pub(super) empty: Vec<String>,
    /// What has a name that no file of a store has.
    pub(super) foreign: Vec<String>,
    /// Parts of a RocketMQ store that are not looked at.
    pub(super) unchecked: Vec<String>,
}

impl Survey {
    /// Lists the files of the store at `root`, relative to the disk's root.
    ///
    /// # Errors
    /// [`InspectError`]: there is no CommitLog, or a directory cannot be listed.
    pub async fn of(disk: &Disk, root: &str) -> Result<Self, InspectError> {
        let layout = Layout::new(root);
        let mut survey = Self {
            layout: layout.clone(),
            log: Vec::new(),
            queues: Vec::new(),
            indexes: Vec::new(),
            configs: Vec::new(),
            unclean: false,
            empty: Vec::new(),
            foreign: Vec::new(),
            unchecked: Vec::new(),
        };
        let top = list(disk, layout.root()).await?;
        if !top.iter().any(|entry| entry.name == "commitlog" && is_directory(entry)) {
            return Err(InspectError::NoStore);
        }
        for entry in &top {
            survey.add_top(disk, entry).await?;
        }
        survey.log = survey.pieces(disk, &layout.commit_log()).await?;
        survey.add_queues(disk).await?;
        Ok(survey)
    }

    /// The bytes of all CommitLog segments, as long as they are.
    pub fn log_bytes(&self) -> u64 {
        self.log.iter().map(|piece| piece.len).sum()
    }

    async fn add_top(&mut self, disk: &Disk, entry: &Entry) -> Result<(), InspectError> {
        let path = join(self.layout.root(), &entry.name);
        match (entry.name.as_str(), is_directory(entry)) {
            ("commitlog" | "consumequeue", true) | ("checkpoint" | "lock" | "queues", false) => {}
            ("abort", false) => self.unclean = true,
            ("index", true) => {
                for file in list(disk, &path).await? {
                    self.add_index(&path, file);
                }
            }
            ("config", true) => {
                for file in list(disk, &path).await? {
                    self.add_config(&path, file);
                }
            }
            // Where hotfire kept them at first: beside the logs.
            (name, false) if name.ends_with(".json") || name.ends_with(".json.bak") => {
                self.configs.push(Entry { name: path, ..entry.clone() });
            }
            (name, _) if is_known_elsewhere(name) => self.unchecked.push(path),
            _ => self.foreign.push(path),
        }
        Ok(())
    }

    fn add_index(&mut self, directory: &str, file: Entry) {
        let path = join(directory, &file.name);
        let digits = file.name.len() == 17 && file.name.bytes().all(|byte| byte.is_ascii_digit());
        if is_directory(&file) || !digits {
            self.foreign.push(path);
        } else if file.len == 0 {
            self.empty.push(path);
        } else {
            self.indexes.push(Entry { name: path, ..file });
        }
    }

    fn add_config(&mut self, directory: &str, file: Entry) {
        let path = join(directory, &file.name);
        if file.name.ends_with(".json") || file.name.ends_with(".json.bak") {
            self.configs.push(Entry { name: path, ..file });
        } else {
            self.unchecked.push(path);
        }
    }

    async fn add_queues(&mut self, disk: &Disk) -> Result<(), InspectError> {
        let layout = self.layout.clone();
        for topic in list(disk, &layout.queues()).await? {
            for queue in list(disk, &layout.topic(&topic.name)).await? {
                let number = queue.name.parse().ok().filter(|_| is_directory(&queue));
                let Some(queue_id) = number else {
                    self.foreign.push(join(&layout.topic(&topic.name), &queue.name));
                    continue;
                };
                let directory = layout.queue(&topic.name, queue_id);
                let pieces = self.pieces(disk, &directory).await?;
                let topic = topic.name.clone();
                self.queues.push(QueueFiles { topic, queue_id, directory, pieces });
            }
        }
        Ok(())
    }

    /// The files of a sequence, by offset.
    async fn pieces(&mut self, disk: &Disk, dir: &str) -> Result<Vec<Piece>, InspectError> {
        let mut pieces = Vec::new();
        for file in list(disk, dir).await? {
            let path = join(dir, &file.name);
            match segment_base(&file.name).filter(|_| !is_directory(&file)) {
                None => self.foreign.push(path),
                Some(_) if file.len == 0 => self.empty.push(path),
                Some(base) => pieces.push(Piece { base, len: file.len, path }),
            }
        }
        pieces.sort_by_key(|piece| piece.base);
        Ok(pieces)
    }

    /// Configuration files and whether each has a `.bak`, by path without it.
    pub(super) fn config_pairs(&self) -> BTreeMap<&str, [Option<&Entry>; 2]> {
        let mut pairs: BTreeMap<&str, [Option<&Entry>; 2]> = BTreeMap::new();
        for entry in &self.configs {
            let (name, slot) = match entry.name.strip_suffix(".bak") {
                Some(name) => (name, 1),
                None => (entry.name.as_str(), 0),
            };
            pairs.entry(name).or_default()[slot] = Some(entry);
        }
        pairs
    }
}

/// Parts of newer or clustered RocketMQ stores, and what a creation or a replacement leaves.
fn is_known_elsewhere(name: &str) -> bool {
    let names = ["consumequeue_ext", "timerwheel", "timerlog", "compaction", "batchconsumequeue"];
    let more = ["epochFileCheckpoint", "brokerIdentity"];
    names.contains(&name)
        || more.contains(&name)
        || name.starts_with("dledger-")
        || name.ends_with(".tmp")
}

fn is_directory(entry: &Entry) -> bool {
    entry.kind == EntryKind::Directory
}

async fn list(disk: &Disk, path: &str) -> Result<Vec<Entry>, InspectError> {
    disk.list(path).await.map_err(|source| InspectError::disk(path, source))
}
