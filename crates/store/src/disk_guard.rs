//! What keeps appends away from a disk that is nearly full.

use std::sync::atomic::{AtomicU32, Ordering};

/// Whose files have no room. Each has a bit of its own, and one never clears the other's: a check
/// of the log's partition alone says nothing about the queues' (RocketMQ #7574 and its flag that
/// the log's check cleared for both).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Partition {
    /// The CommitLog's: above `diskSpaceWarningLevelRatio`.
    Log,
    /// The ConsumeQueues': one of them could not be written.
    Queues,
}

impl Partition {
    const ALL: [Self; 2] = [Self::Log, Self::Queues];

    fn bit(self) -> u32 {
        match self {
            Self::Log => 1,
            Self::Queues => 2,
        }
    }

    /// What a producer is told.
    pub(crate) fn cause(self) -> &'static str {
        match self {
            Self::Log => "the disk is fuller than diskSpaceWarningLevelRatio",
            Self::Queues => "a ConsumeQueue found no room on the disk",
        }
    }
}

/// Which partitions are full.
#[derive(Debug, Default)]
pub(crate) struct Guard(AtomicU32);

impl Guard {
    /// Notes whether one has room.
    pub(crate) fn set(&self, partition: Partition, is_full: bool) {
        let bit = partition.bit();
        let before = if is_full {
            self.0.fetch_or(bit, Ordering::Relaxed)
        } else {
            self.0.fetch_and(!bit, Ordering::Relaxed)
        };
        let cause = partition.cause();
        match (before & bit != 0, is_full) {
            (false, true) => tracing::error!(cause, "sends are refused until there is room"),
            (true, false) => tracing::warn!(?partition, "there is room again; sends are taken"),
            _ => {}
        }
    }

    /// One that is full, if any: nothing is appended then.
    pub(crate) fn full(&self) -> Option<Partition> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            bits => Partition::ALL.into_iter().find(|partition| bits & partition.bit() != 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_partition_never_clears_the_flag_of_the_other() {
        let guard = Guard::default();
        assert_eq!(guard.full(), None);
        guard.set(Partition::Queues, true);
        guard.set(Partition::Log, true);
        guard.set(Partition::Log, false);
        assert_eq!(guard.full(), Some(Partition::Queues));
        guard.set(Partition::Log, true);
        guard.set(Partition::Queues, false);
        assert_eq!(guard.full(), Some(Partition::Log));
        guard.set(Partition::Log, false);
        assert_eq!(guard.full(), None);
    }
}
