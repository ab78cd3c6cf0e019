//! How far a recovery is, for whoever shows it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How far the walk along the log is, seen from another task. By default nobody watches, and a
/// long recovery tells itself in the log.
#[derive(Clone, Debug, Default)]
pub struct RecoveryWatch(Option<Arc<Walk>>);

#[derive(Debug, Default)]
struct Walk {
    read: AtomicU64,
    total: AtomicU64,
}

impl RecoveryWatch {
    /// One that somebody watches, and shows: the log is spared lines about it.
    pub fn watched() -> Self {
        Self(Some(Arc::default()))
    }

    /// Bytes of the CommitLog read so far, and at the most to be read; `None` before the walk
    /// along it begins.
    pub fn seen(&self) -> Option<(u64, u64)> {
        let walk = self.0.as_ref()?;
        let total = walk.total.load(Ordering::Acquire);
        (total > 0).then(|| (walk.read.load(Ordering::Relaxed).min(total), total))
    }

    /// Whether somebody watches.
    pub(crate) fn is_watched(&self) -> bool {
        self.0.is_some()
    }

    /// So many bytes are read of so many.
    pub(crate) fn tell(&self, read: u64, total: u64) {
        if let Some(walk) = &self.0 {
            walk.read.store(read, Ordering::Relaxed);
            walk.total.store(total, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_seen_before_the_walk_and_never_more_than_all() {
        let watch = RecoveryWatch::watched();
        let shown = watch.clone();
        assert_eq!(shown.seen(), None);
        watch.tell(0, 10);
        assert_eq!(shown.seen(), Some((0, 10)));
        watch.tell(11, 10);
        assert_eq!(shown.seen(), Some((10, 10)));
        let nobody = RecoveryWatch::default();
        nobody.tell(1, 2);
        assert_eq!((nobody.seen(), nobody.is_watched()), (None, false));
    }
}
