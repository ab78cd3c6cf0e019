//! Builds the record, event by event.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use sim::{Aspect, Passage, TraceEvent};
use timeline::{Event, Kind, Lane, Record, Violation};

use super::bands::{Bands, Turn};
use super::frames::{Frames, Piece};
use super::words::{class, identities, words};
use crate::outcome::SeedOutcome;

/// An event with more messages than this is about none of them in particular.
const CULPRITS_MAX: usize = 3;
/// Violations that are shown.
const VIOLATIONS_MAX: usize = 20;
/// Writes before a place in the log that are looked at for the one that holds it.
const WRITES_MAX: usize = 8;

/// A record that grows.
#[derive(Default)]
pub(super) struct Build {
    record: Record,
    lanes: BTreeMap<String, u32>,
    kinds: BTreeMap<&'static str, u32>,
    subjects: BTreeMap<String, u32>,
    frames: Frames,
    bands: Bands,
    /// The event of each note in the history.
    history: BTreeMap<u64, u32>,
    /// Writes to logs by lane and first byte: where each ends, and its event.
    writes: BTreeMap<(u32, u64), Vec<(u64, u32)>>,
    /// Acknowledged and processed messages of each lane.
    counts: BTreeMap<(u32, &'static str), u64>,
    broken: Vec<(u64, Told)>,
}

/// A broken property, as the observer tells it: its events are indices of the history.
#[derive(Deserialize)]
struct Told {
    id: String,
    sentence: String,
    events: Vec<usize>,
    details: String,
}

impl Build {
    /// Takes in an event of the world or a note about it.
    pub(super) fn take(&mut self, event: &TraceEvent<'_>) {
        // Tasks are born by the thousand and say nothing by it.
        if event.what == "spawn" {
            return;
        }
        let at = event.at.as_micros() as u64;
        self.record.end = at;
        if event.what == "phase" {
            self.record.phases.push((at, event.detail.to_string()));
            return;
        }
        let lane = event.node.map(|node| self.lane(node.name()));
        let is_note = matches!(event.aspect, Aspect::Note);
        let (kind, text) = (self.kind(event.what, is_note), words(event));
        let index = self.record.events.len() as u32;
        let about = if is_note { self.subjects(&identities(text.as_bytes())) } else { Vec::new() };
        self.record.events.push(Event { at, lane, kind, text, about });
        match event.aspect {
            Aspect::Note => self.note(event, index),
            Aspect::Passage(passage) => self.passage(event.what, lane, index, &passage),
            Aspect::Plain => self.happened(event, lane, index),
        }
    }

    fn note(&mut self, event: &TraceEvent<'_>, index: u32) {
        let at = event.at.as_micros() as u64;
        let text = event.detail.to_string();
        match event.what {
            "violation" => {
                if let Ok(broken) = serde_json::from_str::<Told>(&text) {
                    let words = format!("{}: {}", broken.id, broken.details);
                    self.record.events[index as usize].text = words;
                    self.broken.push((at, broken));
                }
                return;
            }
            "ledger" | "ledger-start" | "ledger-stop" | "log" => return,
            _ => {}
        }
        self.history.insert(event.numbers[0], index);
        let Some(lane) = self.record.events[index as usize].lane else { return };
        let counted = match event.what {
            "sent-ok" => "acknowledged",
            "processed" => "processed",
            _ => "",
        };
        if !counted.is_empty() {
            let count = self.counts.entry((lane, counted)).or_default();
            *count += 1;
            let count = count.to_string();
            self.bands.state(lane, at, counted, count);
        }
        let place = text.split_once(" in ").or_else(|| text.split_once(" of "));
        let place = place.and_then(|(_, place)| place.split_once('/'));
        if let Some((broker, queue)) = place
            && let Some(broker) = self.lanes.get(broker).copied()
        {
            if event.what == "sent-ok" {
                let queue = queue.split(',').next().unwrap_or(queue).to_owned();
                self.bands.state(broker, at, "last acknowledged", queue);
            }
            if let Some(address) = event.numbers[1].checked_sub(1) {
                self.mark_append(broker, address, index);
            }
        }
        if event.what == "committed" {
            self.bands.state(lane, at, "committed", text);
        }
    }

    /// The writes of a message are about it as soon as somebody says where it stands.
    fn mark_append(&mut self, broker: u32, address: u64, note: u32) {
        let about = self.record.events[note as usize].about.clone();
        let before = self.writes.range((broker, 0)..=(broker, address)).rev().take(WRITES_MAX);
        let holds = before.flat_map(|(_, writes)| writes).filter(|(end, _)| address < *end);
        for (_, event) in holds {
            let known = &mut self.record.events[*event as usize].about;
            about.iter().for_each(|subject| {
                if !known.contains(subject) {
                    known.push(*subject);
                }
            });
        }
    }

    fn passage(&mut self, what: &str, lane: Option<u32>, index: u32, passage: &Passage<'_>) {
        let Some(lane) = lane else { return };
        let at = self.record.events[index as usize].at;
        let Passage { connection, end, bytes, .. } = *passage;
        if what == "send" {
            let lanes = (lane, self.lane(passage.peer.name()));
            let piece = Piece { connection, end, lanes, at, event: index, bytes };
            for told in self.frames.sent(&piece) {
                let mut about = self.subjects(&told.about);
                // What was asked for one message is answered about it, without its name.
                let asked = self.frames.arrows[told.arrow as usize].answers;
                let asked = asked.map(|asked| &self.frames.arrows[asked as usize].about);
                about.extend(asked.into_iter().filter(|asked| asked.len() == 1).flatten());
                let event = &mut self.record.events[told.event as usize];
                event.text.push_str("; ");
                event.text.push_str(&told.words);
                event.about.extend(&about);
                self.frames.arrows[told.arrow as usize].about = about;
            }
        } else if what == "deliver" {
            for arrow in self.frames.read(connection, 1 - end, bytes.len() as u64, at) {
                let arrow = &self.frames.arrows[arrow as usize];
                let event = &mut self.record.events[index as usize];
                event.text.push_str("; ");
                event.text.push_str(&arrow.label);
                event.about.extend(&arrow.about);
            }
        }
    }

    fn happened(&mut self, event: &TraceEvent<'_>, lane: Option<u32>, index: u32) {
        let (Some(lane), Some(node)) = (lane, event.node) else { return };
        let (what, numbers, at) = (event.what, event.numbers, event.at.as_micros() as u64);
        let detail = event.detail.to_string();
        let server = node.name().starts_with("broker") || node.name().starts_with("namesrv");
        if what == "accept" {
            let peer = self.lane(&detail);
            self.bands.connection(peer, at, numbers[0], true);
        }
        self.bands.take(&Turn { lane, at, what, numbers, detail: &detail, server });
        let base = detail.rsplit('/').next().and_then(|name| name.parse::<u64>().ok());
        if what == "write"
            && let Some(base) = base
            && detail.contains("/commitlog/")
        {
            let begin = base + numbers[0];
            let writes = self.writes.entry((lane, begin)).or_default();
            writes.push((begin + numbers[1], index));
        }
    }

    fn lane(&mut self, name: &str) -> u32 {
        let next = self.lanes.len() as u32;
        if let Some(lane) = self.lanes.get(name) {
            return *lane;
        }
        self.lanes.insert(name.to_owned(), next);
        let role = name.split('-').next().unwrap_or(name).to_owned();
        self.record.lanes.push(Lane { name: name.to_owned(), role });
        next
    }

    fn kind(&mut self, what: &'static str, is_note: bool) -> u32 {
        let next = self.record.kinds.len() as u32;
        let kind = *self.kinds.entry(what).or_insert(next);
        if kind == next {
            self.record.kinds.push(Kind { name: what.to_owned(), class: class(what, is_note) });
        }
        kind
    }

    fn subjects(&mut self, names: &[String]) -> Vec<u32> {
        let mut found = Vec::new();
        for name in names {
            let next = self.subjects.len() as u32;
            let subject = *self.subjects.entry(name.clone()).or_insert(next);
            if subject == next {
                self.record.subjects.push(name.clone());
            }
            if !found.contains(&subject) {
                found.push(subject);
            }
        }
        found
    }

    /// The record of a run with this outcome.
    pub(super) fn finish(mut self, outcome: &SeedOutcome) -> Record {
        let mut record = std::mem::take(&mut self.record);
        (record.bands, record.states) = std::mem::take(&mut self.bands).finish(record.end);
        record.arrows = by_departure(std::mem::take(&mut self.frames.arrows));
        record.violations = self.violations(&record, outcome);
        let name = &outcome.scenario;
        record.title = format!("{name}, seed {}", outcome.seed);
        record.passed = outcome.passed();
        let ids: BTreeSet<&str> = outcome.broken.iter().map(|broken| broken.id.as_str()).collect();
        let ids: Vec<&str> = ids.into_iter().collect();
        let failed = format!("FAILED: {}", ids.join(", "));
        record.verdict = if outcome.passed() { "passed".to_owned() } else { failed };
        let faults: Vec<String> =
            outcome.faults.iter().map(|(class, count)| format!("{class} {count}")).collect();
        record.facts = vec![
            ("simulated".to_owned(), format!("{:.1} s", outcome.simulated_ms as f64 / 1e3)),
            ("acknowledged".to_owned(), outcome.acknowledged.to_string()),
            ("processed".to_owned(), outcome.processed.to_string()),
            ("faults".to_owned(), faults.join(" ")),
            ("hash".to_owned(), outcome.hash.clone()),
        ];
        sort_lanes(&mut record);
        record
    }

    fn violations(&mut self, record: &Record, outcome: &SeedOutcome) -> Vec<Violation> {
        let told = std::mem::take(&mut self.broken);
        let mut found: Vec<Violation> = Vec::new();
        for (at, broken) in told.into_iter().take(VIOLATIONS_MAX) {
            let known = |index: &usize| self.history.get(&(*index as u64)).copied();
            let events: Vec<u32> = broken.events.iter().filter_map(known).collect();
            let mut about: Vec<u32> = events
                .iter()
                .map(|event| &record.events[*event as usize].about)
                .filter(|about| about.len() <= CULPRITS_MAX)
                .flatten()
                .copied()
                .collect();
            let named = identities(broken.details.as_bytes());
            about.extend(named.iter().filter_map(|name| self.subjects.get(name)));
            about.sort_unstable();
            about.dedup();
            let Told { id, sentence, details, .. } = broken;
            found.push(Violation { at, id, sentence, details, events, about });
        }
        // What no property found, such as a run that does not come on.
        for broken in &outcome.broken {
            if found.len() < VIOLATIONS_MAX && !found.iter().any(|known| known.id == broken.id) {
                let (id, sentence) = (broken.id.clone(), broken.sentence.clone());
                let (at, details) = (record.end, broken.details.clone());
                let (events, about) = (Vec::new(), Vec::new());
                found.push(Violation { at, id, sentence, details, events, about });
            }
        }
        found
    }
}

/// The arrows by the time they left, with their answers still found.
fn by_departure(arrows: Vec<timeline::Arrow>) -> Vec<timeline::Arrow> {
    let mut order: Vec<u32> = (0..arrows.len() as u32).collect();
    order.sort_by_key(|at| arrows[*at as usize].left);
    let mut place = vec![0; arrows.len()];
    order.iter().enumerate().for_each(|(new, old)| place[*old as usize] = new as u32);
    let moved = |old: &u32| {
        let mut arrow = arrows[*old as usize].clone();
        arrow.answers = arrow.answers.map(|old| place[old as usize]);
        arrow
    };
    order.iter().map(moved).collect()
}

/// Servers first, each role by its name.
fn sort_lanes(record: &mut Record) {
    let rank = |lane: &Lane| match lane.role.as_str() {
        "namesrv" => 0,
        "broker" => 1,
        "producer" => 2,
        "consumer" => 3,
        "settler" | "stagehand" => 5,
        _ => 4,
    };
    let mut order: Vec<u32> = (0..record.lanes.len() as u32).collect();
    order.sort_by_key(|at| {
        let lane = &record.lanes[*at as usize];
        (rank(lane), lane.name.len(), lane.name.clone())
    });
    let mut place = vec![0; order.len()];
    order.iter().enumerate().for_each(|(new, old)| place[*old as usize] = new as u32);
    let lanes = order.iter().map(|old| record.lanes[*old as usize].clone()).collect();
    record.lanes = lanes;
    let turn = |lane: &mut u32| *lane = place[*lane as usize];
    record.events.iter_mut().filter_map(|event| event.lane.as_mut()).for_each(turn);
    record.bands.iter_mut().map(|band| &mut band.lane).for_each(turn);
    record.states.iter_mut().map(|state| &mut state.lane).for_each(turn);
    for arrow in &mut record.arrows {
        turn(&mut arrow.from);
        turn(&mut arrow.to);
    }
}
