//! Why a message is owed, or is not, step by step: for whoever reads a failure.

use crate::history::Sent;
use crate::ledger::{Entry, Fault, Ledger};
use crate::outcome::Class;
use crate::promise::{Broker, Excuse, Flush, Owed, owes};
use crate::world::World;

/// From the configuration to the promise, to the faults since, to what is owed. Times are in
/// seconds since `epoch_ms` of true time.
pub fn derive(world: &World<'_>, sent: &Sent, epoch_ms: u64) -> Vec<String> {
    let (said, broker) = (world.said(sent), world.broker_of(sent));
    let mut lines = vec![configured(&broker), promised(sent, &broker)];
    let mut ledger = Ledger::new();
    for entry in world.ledger.entries() {
        let index = ledger.append(entry.at_ms, entry.node.clone(), entry.fault.clone());
        // Starts are steps of a life and take nothing.
        if entry.node != broker.node || entry.fault == Fault::Started {
            continue;
        }
        let takes = owes(&said, &broker, &ledger) == Owed::May(Excuse::Fault(index));
        // What struck before it was sent bears on it only when it lay in wait, or was going on.
        if !(takes || lasts_until(entry) >= said.from_ms) {
            continue;
        }
        lines.push(format!("{}: {}", told(entry, epoch_ms), verdict(entry, takes)));
    }
    lines.push(match owes(&said, &broker, world.ledger) {
        Owed::Must => "so it is still owed".to_owned(),
        Owed::MustNot => "so it must never be seen".to_owned(),
        Owed::May(Excuse::Unknown) => "so nothing is owed: nobody knows what became of it".into(),
        Owed::May(Excuse::Fault(index)) => {
            format!("so entry {index} of the ledger excuses its loss")
        }
    });
    lines
}

/// When a fault was over, in ms of true time: a stall makes later what was due meanwhile.
fn lasts_until(entry: &Entry) -> u64 {
    match entry.fault {
        Fault::Stall { for_ms } => entry.at_ms.saturating_add(for_ms),
        _ => entry.at_ms,
    }
}

/// An entry of the ledger in one line.
pub fn told(entry: &Entry, epoch_ms: u64) -> String {
    let seconds = entry.at_ms.saturating_sub(epoch_ms) as f64 / 1_000.0;
    let Entry { index, node, fault, .. } = entry;
    format!("ledger {index} at {seconds:.3} s on {node}, {} {fault:?}", fault.code())
}

fn configured(broker: &Broker) -> String {
    let Broker { node, flush, horizon_ms, commit_ms } = broker;
    let answers = match flush {
        Flush::Sync => "SYNC_FLUSH: it answers when the log is synced".to_owned(),
        Flush::Async => {
            format!("ASYNC_FLUSH: it answers at once and syncs within {horizon_ms} ms")
        }
    };
    let pool = commit_ms.map(|ms| format!(", through a pool that is written within {ms} ms"));
    format!("{node} runs {answers}{}", pool.unwrap_or_default())
}

fn promised(sent: &Sent, broker: &Broker) -> String {
    let id = sent.id;
    match (sent.class(), broker.flush) {
        (Class::Unknown, _) => format!("{id} was not answered, which promises nothing"),
        (Class::Rejected, _) => format!("{id} was refused: nothing of it may be stored"),
        (Class::Weak, _) => format!("{id} was stored, not flushed: it survives the process only"),
        (Class::Ok, Flush::Sync) if sent.waits => {
            format!("{id} was OK: it survives the end of the process and the loss of power")
        }
        (Class::Ok, _) => {
            format!("{id} was OK: it survives the process, and the loss of power once synced")
        }
    }
}

fn verdict(entry: &Entry, takes: bool) -> &'static str {
    match (&entry.fault, takes) {
        (_, true) => "may have taken it",
        (Fault::ProcessKill, _) => "takes nothing that was written into a file",
        (Fault::PowerLoss, _) => "takes nothing that was synced, and this was due before",
        (Fault::Deleted(_), _) => "took what stood lower in the log",
        (Fault::SyncError { .. }, _) => "takes nothing by itself",
        (Fault::Stall { .. }, _) => "takes nothing, and makes its flush later",
        _ => "takes nothing that is stored",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{History, Kind, Outcome, What};
    use crate::identity::Identity;
    use crate::testing::{message, placed};

    fn derived(flush: Flush, fault: Fault) -> String {
        derived_of(flush, [(1_020, fault)])
    }

    fn derived_of<const N: usize>(flush: Flush, faults: [(u64, Fault); N]) -> String {
        let (mut history, mut ledger) = (History::new(), Ledger::new());
        let id = Identity::new(0, 0, 0);
        history.record(1_000, What::send_started(&message(id), Kind::Plain));
        history.record(1_010, What::SendEnded { id, outcome: Outcome::Ok(placed(0)) });
        for (at_ms, fault) in faults {
            ledger.append(at_ms, "n", fault);
        }
        let broker = Broker { node: "n".into(), flush, horizon_ms: 2_000, commit_ms: None };
        let cluster = [("b".to_owned(), broker)].into();
        let world = World { history: &history, ledger: &ledger, cluster: &cluster };
        derive(&world, history.sent(id).expect("it was sent"), 0).join("\n")
    }

    #[test]
    fn it_goes_from_the_configuration_over_the_faults_to_what_is_owed() {
        let owed = derived(Flush::Sync, Fault::PowerLoss);
        for step in ["SYNC_FLUSH", "was OK", "PL PowerLoss: takes nothing", "still owed"] {
            assert!(owed.contains(step), "{owed}");
        }
    }

    #[test]
    fn it_names_what_struck_before_the_send_when_that_bears_on_it() {
        let path = "store/commitlog/00000000000000000000".to_owned();
        let rot = || Fault::BitRot { path: path.clone(), offset: 0, len: 1 };
        let told = derived_of(Flush::Sync, [(10, Fault::ProcessKill), (20, rot())]);
        assert!(told.contains("BR BitRot") && told.contains("so entry 1"), "{told}");
        assert!(!told.contains("ProcessKill"), "{told}");
        let stall = |for_ms| [(900, Fault::Stall { for_ms }), (2_500, Fault::PowerLoss)];
        assert!(derived_of(Flush::Async, stall(200)).contains("makes its flush later"));
        assert!(!derived_of(Flush::Async, stall(50)).contains("Stall"));
    }

    #[test]
    fn it_names_the_fault_that_excuses_a_loss() {
        let excused = derived(Flush::Async, Fault::PowerLoss);
        assert!(excused.contains("may have taken it\nso entry 0"), "{excused}");
    }
}
