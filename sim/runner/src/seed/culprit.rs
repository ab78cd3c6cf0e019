//! The life of the message that a violation is about, and why it is still owed.

use std::collections::BTreeSet;

use invariants::derivation;
use invariants::history::{Event, What};
use invariants::identity::Identity;
use invariants::violation::Violation;
use invariants::world::World;

use super::director::Director;
use super::tell;
use crate::outcome::Culprit;

/// Events of a culprit's life that are kept: the last ones.
const LIFE_MAX: usize = 200;
/// Columns of a line that are kept.
const COLUMNS_MAX: usize = 240;

/// Tells of the message that a violation is about; without one, of the ledger alone.
pub(super) fn of(director: &Director, violation: Option<&Violation>) -> Culprit {
    let watch = director.observer.watch();
    let (history, ledger, cluster) = (watch.history(), watch.ledger(), watch.cluster());
    let world = World { history, ledger, cluster };
    let epoch_ms = epoch_ms(director);
    let shown = violation.map_or(&[][..], |violation| &violation.events);
    let events: Vec<&Event> = shown.iter().filter_map(|at| history.events().get(*at)).collect();
    let ids: BTreeSet<Identity> =
        events.iter().find_map(|event| culprit(event)).into_iter().collect();
    let touches = |event: &&Event| ids.iter().any(|id| names(&event.what, *id));
    let life: Vec<&Event> = history.events().iter().filter(touches).collect();
    let skip = life.len().saturating_sub(LIFE_MAX);
    let sent = ids.iter().find_map(|id| history.sent(*id));
    let derivation =
        sent.map(|sent| derivation::derive(&world, sent, epoch_ms)).unwrap_or_default();
    let ledger = ledger.entries().iter().map(|entry| derivation::told(entry, epoch_ms));
    Culprit {
        derivation: derivation.iter().map(|line| short(line)).collect(),
        life: life[skip..].iter().map(|event| line(event, epoch_ms)).collect(),
        ledger: ledger.map(|entry| short(&entry)).collect(),
    }
}

/// When the run began, in ms of true time.
pub(super) fn epoch_ms(director: &Director) -> u64 {
    director.control.now_true_ms() - director.control.elapsed().as_millis() as u64
}

/// An event in one line.
pub(super) fn line(event: &Event, epoch_ms: u64) -> String {
    let seconds = event.at_ms.saturating_sub(epoch_ms) as f64 / 1_000.0;
    short(&format!("#{} {seconds:.3} s {}", event.index, tell::line(&event.what)))
}

fn short(line: &str) -> String {
    line.chars().take(COLUMNS_MAX).collect()
}

/// Whom an event is about, if it is about one message.
fn culprit(event: &Event) -> Option<Identity> {
    match &event.what {
        What::SendStarted { id, .. } | What::SendEnded { id, .. } | What::Processed { id, .. } => {
            Some(*id)
        }
        What::Delivered { seen, .. } => seen.id,
        _ => None,
    }
}

fn names(what: &What, id: Identity) -> bool {
    match what {
        What::SendStarted { id: other, .. }
        | What::SendEnded { id: other, .. }
        | What::Processed { id: other, .. } => *other == id,
        other => other.seen().iter().any(|seen| seen.id == Some(id)),
    }
}
