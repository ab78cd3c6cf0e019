//! Records one after the other, out of the log or out of a queue.

use message::record::View;
use runtime::Disk;

use super::error::InspectError;
use super::survey::Survey;
use super::walk::{Step, Walk};
use super::window::Window;
use crate::consume_queue::Entry;
use crate::layout::ENTRY_LEN;

/// Which records are wanted; each part that is given narrows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DumpRequest {
    /// Only of this topic.
    pub topic: Option<String>,
    /// Only of this queue; with a topic it is read through its ConsumeQueue.
    pub queue: Option<u32>,
    /// Only places in the queue from here on …
    pub from: Option<u64>,
    /// … and before this one.
    pub to: Option<u64>,
    /// The offset in the log to begin at; a record starts there.
    pub offset: Option<u64>,
}

/// What a dump comes across.
#[derive(Debug)]
pub enum Dumped<'a> {
    /// A record.
    Record(&'a View<'a>),
    /// A place without one: damage in the log, an entry that points astray.
    Bad {
        /// The offset in the log.
        offset: u64,
        /// What is wrong there.
        why: String,
    },
}

/// Takes what a dump comes across; false when it has seen enough.
pub type Sink<'a> = &'a mut (dyn FnMut(Dumped<'_>) -> bool + Send);

/// Shows the records that are asked for, in the order of the log or of the queue.
///
/// # Errors
/// [`InspectError`] when there is no such queue, or no record at the offset.
pub async fn dump(
    disk: &Disk,
    survey: &Survey,
    request: &DumpRequest,
    sink: Sink<'_>,
) -> Result<(), InspectError> {
    match (&request.topic, request.queue, request.offset) {
        (Some(topic), Some(queue_id), None) => {
            dump_queue(disk, survey, (topic, queue_id), request, sink).await
        }
        _ => dump_log(disk, survey, request, sink).await,
    }
}

async fn dump_log(
    disk: &Disk,
    survey: &Survey,
    request: &DumpRequest,
    sink: Sink<'_>,
) -> Result<(), InspectError> {
    let mut walk = Walk::new(disk, &survey.log, request.offset.unwrap_or(0));
    if let Some(offset) = request.offset
        && walk.record_at(offset).await.is_err()
    {
        let walk = Walk::new(disk, &survey.log, offset);
        return Err(InspectError::NoRecord { offset, next: walk.search(offset).await.0 });
    }
    loop {
        let at = walk.at();
        let goes_on = match walk.step().await {
            Step::End => return Ok(()),
            Step::Blank => true,
            Step::Record(record) => match View::parse(&record) {
                Ok(view) if request.wants(&view) => sink(Dumped::Record(&view)),
                Ok(_) => true,
                Err(error) => sink(Dumped::Bad { offset: at, why: error.to_string() }),
            },
            Step::Bad(bad) => match (bad.next, bad.residue) {
                (None, None) => return Ok(()),
                (Some(next), _) => {
                    let why = format!("{}; the next record stands at {next}", bad.cause);
                    sink(Dumped::Bad { offset: at, why })
                }
                (None, Some(_)) => {
                    let why = format!("{}; no record follows", bad.cause);
                    sink(Dumped::Bad { offset: at, why })
                }
            },
        };
        if !goes_on {
            return Ok(());
        }
    }
}

async fn dump_queue(
    disk: &Disk,
    survey: &Survey,
    (topic, queue_id): (&str, u32),
    request: &DumpRequest,
    sink: Sink<'_>,
) -> Result<(), InspectError> {
    let is_asked = |topic_: &str, id: u32| topic_ == topic && id == queue_id;
    let Some(queue) = survey.queues.iter().find(|queue| is_asked(&queue.topic, queue.queue_id))
    else {
        return Err(InspectError::NoQueue { topic: topic.into(), queue_id });
    };
    let mut walk = Walk::new(disk, &survey.log, 0);
    for piece in &queue.pieces {
        let failed = |error| InspectError::disk(&piece.path, error);
        let mut window = Window::open(disk, &piece.path).await.map_err(failed)?;
        let first = piece.base / ENTRY_LEN;
        let from = request.from.unwrap_or(0).max(first);
        let to = request.to.unwrap_or(u64::MAX).min(first + window.len() / ENTRY_LEN);
        for place in from..to {
            let bytes = window.get((place - first) * ENTRY_LEN, ENTRY_LEN).map_err(failed)?;
            let Some(entry) = bytes.first_chunk().and_then(Entry::decode) else {
                return Ok(());
            };
            // Of a filler and of what was cleaned away there is nothing to show.
            let is_gone = entry.is_filler() || entry.physical < walk.start();
            if !is_gone && !show(&mut walk, place, entry.physical, sink).await {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Shows the record at `offset`, which has that place; false when the sink has seen enough.
async fn show(
    walk: &mut Walk<'_>,
    place: u64,
    offset: u64,
    sink: &mut (dyn FnMut(Dumped<'_>) -> bool + Send),
) -> bool {
    let why = match walk.record_at(offset).await {
        Ok(record) => match View::parse(&record) {
            Ok(view) if view.queue_offset.0 == place => return sink(Dumped::Record(&view)),
            Ok(view) => format!("the record there has place {}, not {place}", view.queue_offset),
            Err(error) => error.to_string(),
        },
        Err(cause) => cause.to_string(),
    };
    sink(Dumped::Bad { offset, why: format!("place {place} of the queue: {why}") })
}

impl DumpRequest {
    fn wants(&self, view: &View<'_>) -> bool {
        let place = view.queue_offset.0;
        self.topic.as_ref().is_none_or(|topic| topic == view.topic)
            && self.queue.is_none_or(|queue| queue == view.queue_id)
            && place >= self.from.unwrap_or(0)
            && place < self.to.unwrap_or(u64::MAX)
    }
}
