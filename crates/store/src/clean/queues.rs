//! The queues follow the log: what points below its lowest offset goes.

use runtime::Disk;

use crate::consume_queue::{Queue, Queues};
use crate::layout::ENTRY_LEN;
use crate::segment_set::RemoveError;

/// Raises the lowest place of every queue to the first message whose record stands at `log_min`
/// or behind, and removes the files below. The minimum rises first: who reads in between is told
/// where to go on.
pub(super) async fn clean(disk: &Disk, queues: &Queues, log_min: u64) -> Result<(), RemoveError> {
    for queue in queues.all() {
        let min = first_kept(&queue, log_min).await.map_err(RemoveError::Remove)?;
        queue.raise_min(min);
        queue.segments().remove_front(disk, min * ENTRY_LEN).await?;
    }
    Ok(())
}

/// The first place whose message is still stored; the queue's end when none is.
async fn first_kept(queue: &Queue, log_min: u64) -> std::io::Result<u64> {
    let (mut low, mut high) = (queue.min_offset(), queue.end());
    while low < high {
        let middle = low + (high - low) / 2;
        let entry = queue.entry(middle).await?;
        // Fillers stand before all messages, like those that are gone.
        if entry.is_some_and(|entry| !entry.is_filler() && entry.physical >= log_min) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(low)
}
