//! Where things lie under the store's root, and the sizes that the format fixes.

/// The length of a ConsumeQueue entry in bytes.
pub(crate) const ENTRY_LEN: u64 = 20;
/// The blank at a segment's end starts with its length and a magic, four bytes each. So many
/// bytes stay free behind every record.
pub(crate) const BLANK_HEAD_LEN: u64 = 8;
/// The page that dirtiness is counted in.
pub(crate) const PAGE_LEN: u64 = 4096;

/// The paths of one store.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    root: String,
}

impl Layout {
    pub(crate) fn new(root: &str) -> Self {
        Self { root: root.trim_end_matches('/').into() }
    }

    /// The directory of the store.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    /// Held exclusively from before anything is read.
    pub(crate) fn lock(&self) -> String {
        join(&self.root, "lock")
    }

    /// Exists while the store runs; found at start, it tells of an unclean end.
    pub(crate) fn abort(&self) -> String {
        join(&self.root, "abort")
    }

    /// The page that says how far everything is durable.
    pub(crate) fn checkpoint(&self) -> String {
        join(&self.root, "checkpoint")
    }

    /// What a clean end says about the queues.
    pub(crate) fn queue_ends(&self) -> String {
        join(&self.root, "queues")
    }

    /// The list of the ranges of the log that are damaged.
    pub(crate) fn quarantine(&self) -> String {
        join(&self.root, "quarantine.json")
    }

    /// The directory of the CommitLog's segments.
    pub(crate) fn commit_log(&self) -> String {
        join(&self.root, "commitlog")
    }

    /// The directory of the IndexFiles.
    pub(crate) fn index(&self) -> String {
        join(&self.root, "index")
    }

    /// The directory of all ConsumeQueues.
    pub(crate) fn queues(&self) -> String {
        join(&self.root, "consumequeue")
    }

    /// The directory of the queues of one topic.
    pub(crate) fn topic(&self, topic: &str) -> String {
        join(&self.queues(), topic)
    }

    /// The directory of one queue's files.
    pub(crate) fn queue(&self, topic: &str, queue_id: u32) -> String {
        join(&self.topic(topic), &queue_id.to_string())
    }
}

/// `directory/name`; the name alone in the root.
pub(crate) fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.into() } else { format!("{directory}/{name}") }
}

/// The name of the segment whose first byte has the offset `base`: 20 digits.
pub(crate) fn segment_name(base: u64) -> String {
    format!("{base:020}")
}

/// The offset of a segment's first byte, from its name; `None` when it is not the name of one.
pub(crate) fn segment_base(name: &str) -> Option<u64> {
    let digits = name.len() == 20 && name.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| name.parse().ok()).flatten()
}

/// Whether a topic can be the name of a directory: no path of its own, not too long for a file
/// system. What a topic may be beyond this is the broker's to say.
pub(crate) fn is_directory_name(topic: &str) -> bool {
    !topic.is_empty()
        && topic.len() <= 255
        && topic != "."
        && topic != ".."
        && !topic.contains(['/', '\\', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_name_reads_back_and_others_do_not() {
        assert_eq!(segment_name(1_073_741_824), "00000000001073741824");
        assert_eq!(segment_base("00000000001073741824"), Some(1_073_741_824));
        for foreign in ["1073741824", "0000000000107374182x", "+0000000000000000001", ""] {
            assert_eq!(segment_base(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_topic_cannot_leave_its_directory() {
        assert!(is_directory_name("%RETRY%group"));
        for bad in ["", ".", "..", "a/b", "a\\b", "\0"] {
            assert!(!is_directory_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn an_empty_root_is_the_nodes_root() {
        assert_eq!(Layout::new("").queue("T", 3), "consumequeue/T/3");
        assert_eq!(Layout::new("s/").commit_log(), "s/commitlog");
    }
}
