//! What a record must prove before it is handed to a consumer: that it is whole, stands where it
//! says, holds the body it was written with, and is the one that the queue's entry means.
//!
//! Of every record, every time: memory that was read back from a device may differ from what was
//! written to it, and nobody says when the kernel did so. It costs one pass over the body.

use bytes::Bytes;
use message::record::View;

use crate::commit_log::{Bad, check};
use crate::consume_queue::Queue;

/// Topics whose entries lead to records of other topics: RocketMQ's light queues.
const LIGHT_PREFIX: &str = "%LMQ%";

/// Why a record is not handed out.
#[derive(Debug, thiserror::Error)]
#[error("no record of place {place} stands at offset {at} of the CommitLog: {cause}")]
pub(crate) struct Unproven {
    /// Where in the log it should stand.
    pub(crate) at: u64,
    /// Its place in the queue.
    pub(crate) place: u64,
    /// What is wrong.
    pub(crate) cause: String,
}

/// Whether `run`, the log's bytes from `offset` on, is nothing but records of that queue that are
/// as long as its entries say, the first of them at `place`.
pub(crate) fn prove(
    run: &Bytes,
    offset: u64,
    queue: &Queue,
    place: u64,
    lens: &[u32],
) -> Result<(), Unproven> {
    let mut at = 0;
    for (place, len) in (place..).zip(lens) {
        let stands_at = offset + at as u64;
        let unproven = |cause| Unproven { at: stands_at, place, cause };
        let view = View::parse(&run[at..]).map_err(|error| unproven(error.to_string()))?;
        check(&view, stands_at).map_err(|bad: Bad| unproven(bad.to_string()))?;
        if view.store_size != *len {
            return Err(unproven(format!("it has {} bytes and not {len}", view.store_size)));
        }
        if !is_of(&view, queue, place) {
            let (topic, queue_id, other) = (view.topic, view.queue_id, view.queue_offset);
            return Err(unproven(format!("it is the record of {topic}/{queue_id} at {other}")));
        }
        at += *len as usize;
    }
    Ok(())
}

/// Whether a record says that it is of that queue and place; all records may be of a light queue.
pub(crate) fn is_of(view: &View<'_>, queue: &Queue, place: u64) -> bool {
    let named = (view.topic, view.queue_id, view.queue_offset.0);
    named == (queue.topic(), queue.queue_id(), place) || is_light(queue)
}

/// Whether the entries of a queue lead to records of other queues.
pub(crate) fn is_light(queue: &Queue) -> bool {
    queue.topic().starts_with(LIGHT_PREFIX)
}
