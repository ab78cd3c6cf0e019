//! Making durable what recovery found behind the checkpoint.

use std::io;

use runtime::sync::give_way;

use crate::segment_set::{Segment, SegmentSet};

/// How many bytes are written anew at once.
const REWRITE_LEN: u64 = 1 << 20;

/// How far before the end pages may be in doubt: more than what is ever appended while one sync
/// lasts.
const DOUBT_LEN: u64 = 64 << 20;

/// A range of the log that ends where its records end and may not be durable.
#[derive(Clone, Debug)]
pub(crate) struct Unsettled {
    /// The end of what is durable.
    pub(crate) from: u64,
    /// The end of the log when it was opened.
    pub(crate) to: u64,
    /// Whether the kernel may call pages clean that the device does not hold.
    pub(crate) in_doubt: bool,
}

impl Unsettled {
    /// Makes the range durable.
    ///
    /// Scenario that the writing anew is for: 1. a sync fails and the kernel calls its pages clean;
    /// 2. the process ends and this one reads them from the cache; 3. a sync has nothing to do and
    /// succeeds; 4. power fails, and a hole cuts off everything that was acknowledged since.
    /// Written anew, the pages are dirty again and the sync means something.
    ///
    /// # Errors
    /// Final: the range is unknown for ever.
    pub(crate) async fn settle(&self, segments: &SegmentSet) -> io::Result<()> {
        let segments = segments.within(self.from..u64::MAX);
        if self.in_doubt {
            // A failed sync stops all appends, so what it left in doubt is close to the end: at the
            // least the two last segments, and more of them when they are small.
            let close = segments.len().saturating_sub(2);
            let doubtful = self.to.saturating_sub(DOUBT_LEN);
            let close = segments[..close].partition_point(|segment| segment.end() <= doubtful);
            for segment in &segments[close..] {
                let (from, to) = (self.from.max(segment.base), self.to.min(segment.end()));
                rewrite(segment, from, to).await?;
            }
        }
        for segment in &segments {
            segment.sync(self.from..self.to).await?;
        }
        Ok(())
    }
}

/// Writes the bytes `from .. to` of a segment anew, as they are.
async fn rewrite(segment: &Segment, from: u64, to: u64) -> io::Result<()> {
    let mut at = from;
    while at < to {
        let next = to.min(at + REWRITE_LEN);
        // A copy: a slice may be a view of the very bytes that are written.
        let bytes = segment.slice(at..next)?.to_vec();
        segment.write(at, &[&bytes])?;
        at = next;
        give_way().await;
    }
    Ok(())
}
