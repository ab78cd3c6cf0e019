//! Feeds the watch: notes of clients, incidents of disks and strikes, in order of true time.

use std::collections::BTreeMap;
use std::time::Duration;

use invariants::Watch;
use invariants::disk::NodeDisk;
use invariants::ledger::{Deletion, Fault};
use invariants::outcome::Class;
use invariants::world::Recovery;
use sim::{Control, Incident, IncidentKind, Node};
use store::Retention;
use workloads::Recorder;

use super::{class, deletion, tell};

/// The one who watches a run. Silent: it draws nothing and waits for nothing.
pub(crate) struct Observer {
    control: Control,
    recorder: Recorder,
    watch: Watch,
    /// How long brokers keep messages.
    policy: Retention,
    /// How often each class of fault struck.
    faults: BTreeMap<String, u64>,
    /// When the first fault struck, and when all of them ended, in ms of true time.
    struck_at_ms: Option<u64>,
    healed_at_ms: Option<u64>,
    /// How many violations of each property the trace has been told.
    told: BTreeMap<&'static str, usize>,
    /// When the first violation was seen, in simulated time, and of which property.
    failed: Option<(Duration, &'static str)>,
}

impl Observer {
    pub(crate) fn new(
        control: Control,
        recorder: Recorder,
        watch: Watch,
        policy: Retention,
    ) -> Self {
        let (faults, told) = (BTreeMap::new(), BTreeMap::new());
        Self {
            control,
            recorder,
            watch,
            policy,
            faults,
            struck_at_ms: None,
            healed_at_ms: None,
            told,
            failed: None,
        }
    }

    /// Takes in what happened since the last time.
    pub(crate) fn catch_up(&mut self) {
        let epoch_ms = self.control.now_true_ms() - self.control.elapsed().as_millis() as u64;
        let mut incidents = self.struck(epoch_ms).into_iter().peekable();
        let mut notes = self.recorder.take().into_iter().peekable();
        loop {
            let incident_first = match (incidents.peek(), notes.peek()) {
                (None, None) => break,
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (Some((at_ms, ..)), Some((note_ms, _))) => at_ms <= note_ms,
            };
            if incident_first {
                let (at_ms, node, struck) = incidents.next().expect("it was seen");
                self.take_in(at_ms, &node, struck);
            } else {
                let (at_ms, what) = notes.next().expect("it was seen");
                self.watch.record(at_ms, what);
            }
        }
        self.note_violations();
    }

    /// The incidents and deletions since the last time, in order of true time.
    fn struck(&self, epoch_ms: u64) -> Vec<(u64, Node, Struck)> {
        let at_ms = |at: Duration| epoch_ms + at.as_millis() as u64;
        let incidents = self.control.take_incidents().into_iter().map(|incident| {
            (at_ms(incident.at), incident.node.clone(), Struck::Incident(incident))
        });
        let removals = self.control.take_removals().into_iter();
        let deletions = removals.filter_map(|removal| {
            let at_ms = at_ms(removal.at);
            let deletion = deletion::of(&removal, at_ms, &self.policy)?;
            Some((at_ms, removal.node, Struck::Deletion(deletion)))
        });
        let mut struck: Vec<_> = incidents.chain(deletions).collect();
        struck.sort_by_key(|(at_ms, ..)| *at_ms);
        struck
    }

    fn take_in(&mut self, at_ms: u64, node: &Node, struck: Struck) {
        let fault = match struck {
            Struck::Incident(incident) => {
                if let Some(class) = class::of_incident(incident.kind) {
                    self.count_at(at_ms, class);
                }
                fault_of(incident)
            }
            Struck::Deletion(deletion) => Some(Fault::Deleted(deletion)),
        };
        if let Some(fault) = fault {
            self.note_fault(at_ms, node.name(), fault);
        }
    }

    /// Counts a fault of a class that strikes right now.
    pub(crate) fn count(&mut self, class: &str) {
        self.count_at(self.control.now_true_ms(), class);
    }

    fn count_at(&mut self, at_ms: u64, class: &str) {
        self.struck_at_ms.get_or_insert(at_ms);
        *self.faults.entry(class.to_owned()).or_default() += 1;
    }

    /// Notes that all faults end right now.
    pub(crate) fn healed(&mut self) {
        self.healed_at_ms = Some(self.control.now_true_ms());
    }

    /// Whether a message was acknowledged behind the first fault and before the heal: a run that is
    /// too harsh for that shows little.
    pub(crate) fn was_productive(&self) -> bool {
        let Some(from_ms) = self.struck_at_ms else { return false };
        let until_ms = self.healed_at_ms.unwrap_or(u64::MAX);
        self.watch.history().all_sent().any(|sent| {
            let ended_ms = sent.ended.as_ref().map(|ended| ended.at_ms);
            let within = |at_ms| from_ms <= at_ms && at_ms <= until_ms;
            sent.class() == Class::Ok && ended_ms.is_some_and(within)
        })
    }

    /// Notes a fault that is being applied right now.
    pub(crate) fn fault(&mut self, node: &str, fault: Fault) {
        self.catch_up();
        let now = self.control.now_true_ms();
        self.note_fault(now, node, fault);
    }

    fn note_fault(&mut self, at_ms: u64, node: &str, fault: Fault) {
        tell::fault(&self.control, node, &fault);
        self.watch.fault(at_ms, node, fault);
    }

    /// Shows a recovery.
    pub(crate) fn recovered(&mut self, recovery: &Recovery) {
        self.catch_up();
        self.watch.recovered(recovery);
        self.note_violations();
    }

    /// Shows the end.
    pub(crate) fn quiet(&mut self, disks: &[NodeDisk]) {
        self.catch_up();
        self.watch.quiet(disks);
        self.note_violations();
    }

    /// Notes when the first property broke. Tells the trace which properties were broken since the
    /// last time, if anybody listens.
    fn note_violations(&mut self) {
        if self.failed.is_none() {
            let broken = self.watch.found().find(|found| found.broken() > 0);
            self.failed = broken.map(|found| (self.control.elapsed(), found.claim().id));
        }
        if !self.control.trace().is_watched() {
            return;
        }
        for found in self.watch.found() {
            let told = self.told.entry(found.claim().id).or_default();
            for violation in found.violations().iter().skip(*told) {
                tell::violation(&self.control, violation);
            }
            *told = found.violations().len();
        }
    }

    /// How long brokers keep messages.
    pub(crate) fn policy(&self) -> &Retention {
        &self.policy
    }

    /// What was seen.
    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// When the first violation was seen, in simulated time, and of which property.
    pub(crate) fn failed(&self) -> Option<(Duration, &'static str)> {
        self.failed
    }

    /// How often each class of fault struck.
    pub(crate) fn faults(&self) -> &BTreeMap<String, u64> {
        &self.faults
    }
}

/// Something that a disk did since the last time.
enum Struck {
    Incident(Incident),
    Deletion(Deletion),
}

/// What the ledger says of an incident; `None` for what a loss of power, which it knows, did.
fn fault_of(incident: Incident) -> Option<Fault> {
    let Incident { kind, path, range, .. } = incident;
    Some(match kind {
        IncidentKind::Sync => Fault::SyncError { path },
        IncidentKind::Read | IncidentKind::Write | IncidentKind::Remove => {
            Fault::InputOutputError { path }
        }
        IncidentKind::NoSpace => Fault::NoSpace,
        // A page that the device lost without a word is lost like one whose sync failed.
        IncidentKind::Writeback => Fault::SyncError { path },
        IncidentKind::Misdirected | IncidentKind::Overwritten => {
            let range = range.unwrap_or(0..u64::MAX);
            Fault::Misdirected { path, offset: range.start, len: range.end - range.start }
        }
        IncidentKind::PagesLost
        | IncidentKind::PagesTorn
        | IncidentKind::FilesReordered
        | IncidentKind::NamesLost => return None,
    })
}
