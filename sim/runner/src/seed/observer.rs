//! Feeds the watch: notes of clients, incidents of disks and strikes, in order of true time.

use std::collections::BTreeMap;

use invariants::Watch;
use invariants::disk::NodeDisk;
use invariants::ledger::Fault;
use invariants::world::Recovery;
use sim::{Control, Incident, IncidentKind};
use workloads::Recorder;

/// The one who watches a run. Silent: it draws nothing and waits for nothing.
pub(crate) struct Observer {
    control: Control,
    recorder: Recorder,
    watch: Watch,
    /// How often each class of fault struck.
    faults: BTreeMap<String, u64>,
}

impl Observer {
    pub(crate) fn new(control: Control, recorder: Recorder, watch: Watch) -> Self {
        Self { control, recorder, watch, faults: BTreeMap::new() }
    }

    /// Takes in what happened since the last time.
    pub(crate) fn catch_up(&mut self) {
        let epoch_ms = self.control.now_true_ms() - self.control.elapsed().as_millis() as u64;
        let mut incidents = self.control.take_incidents().into_iter().peekable();
        let at_ms = |incident: &Incident| epoch_ms + incident.at.as_millis() as u64;
        let mut notes = self.recorder.take().into_iter().peekable();
        loop {
            let incident_first = match (incidents.peek(), notes.peek()) {
                (None, None) => return,
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (Some(incident), Some((note_ms, _))) => at_ms(incident) <= *note_ms,
            };
            if incident_first {
                let incident = incidents.next().expect("it was seen");
                let at = at_ms(&incident);
                self.note_fault(at, incident.node.name(), fault_of(incident.kind, incident.path));
            } else {
                let (at_ms, what) = notes.next().expect("it was seen");
                self.watch.record(at_ms, what);
            }
        }
    }

    /// Notes a fault that is being applied right now.
    pub(crate) fn fault(&mut self, node: &str, fault: Fault) {
        self.catch_up();
        let now = self.control.now_true_ms();
        self.note_fault(now, node, fault);
    }

    fn note_fault(&mut self, at_ms: u64, node: &str, fault: Fault) {
        *self.faults.entry(fault.code().to_owned()).or_default() += 1;
        self.watch.fault(at_ms, node, fault);
    }

    /// Shows a recovery.
    pub(crate) fn recovered(&mut self, recovery: &Recovery) {
        self.catch_up();
        self.watch.recovered(recovery);
    }

    /// Shows the end.
    pub(crate) fn quiet(&mut self, disks: &[NodeDisk]) {
        self.catch_up();
        self.watch.quiet(disks);
    }

    /// What was seen.
    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// How often each class of fault struck.
    pub(crate) fn faults(&self) -> &BTreeMap<String, u64> {
        &self.faults
    }
}

fn fault_of(kind: IncidentKind, path: String) -> Fault {
    match kind {
        IncidentKind::Sync => Fault::SyncError { path },
        IncidentKind::Read | IncidentKind::Write => Fault::InputOutputError { path },
        IncidentKind::NoSpace => Fault::NoSpace,
        // A page that the device lost without a word is lost like one whose sync failed.
        IncidentKind::Writeback => Fault::SyncError { path },
        // Only a misdirecting disk does this, and no scenario asks for one yet: it spoils bytes.
        IncidentKind::Misdirected => Fault::BitRot { path, offset: 0 },
    }
}
