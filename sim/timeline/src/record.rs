//! What a page shows, as plain data. Times are microseconds from the start of the run; lanes,
//! kinds, events and subjects are named by their index.

use serde::{Deserialize, Serialize};

/// A whole run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// What ran.
    pub title: String,
    /// Whether nothing was broken.
    pub passed: bool,
    /// What came of it, in one line.
    pub verdict: String,
    /// Names and values for the head of the page, such as the seed and the hash.
    pub facts: Vec<(String, String)>,
    /// When the run ended.
    pub end: u64,
    /// The parts of the run: when each began, and its name.
    pub phases: Vec<(u64, String)>,
    /// One lane per process, from top to bottom.
    pub lanes: Vec<Lane>,
    /// The kinds of events.
    pub kinds: Vec<Kind>,
    /// Everything that happened, oldest first.
    pub events: Vec<Event>,
    /// Messages from lane to lane, by the time they left.
    pub arrows: Vec<Arrow>,
    /// What lasted.
    pub bands: Vec<Band>,
    /// What each process was like, by time.
    pub states: Vec<State>,
    /// What can be followed through the run, such as the names of messages.
    pub subjects: Vec<String>,
    /// What was broken.
    pub violations: Vec<Violation>,
}

/// A process, or a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lane {
    /// Its name.
    pub name: String,
    /// What it is, such as `server` or `client`.
    pub role: String,
}

/// A kind of event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kind {
    /// Its name.
    pub name: String,
    /// What sort of thing it is.
    pub class: Class,
}

/// The sorts of events; each has a mark of its own and can be hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Bytes and connections.
    Net,
    /// Files.
    Disk,
    /// What clients did and saw.
    Client,
    /// What was done to the world.
    Fault,
    /// Processes that begin and end.
    Life,
    /// Something that must never happen.
    Violation,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Row", into = "Row")]
pub struct Event {
    /// When.
    pub at: u64,
    /// Where; `None` is the world itself.
    pub lane: Option<u32>,
    /// What kind.
    pub kind: u32,
    /// In words.
    pub text: String,
    /// The subjects it is about.
    pub about: Vec<u32>,
}

/// An [`Event`] as it stands in a page: a run has very many, so they are arrays without names.
/// Time, lane (-1 is the world), kind, words, subjects.
#[derive(Serialize, Deserialize)]
pub struct Row(u64, i64, u32, String, Vec<u32>);

impl From<Row> for Event {
    fn from(Row(at, lane, kind, text, about): Row) -> Self {
        Self { at, lane: u32::try_from(lane).ok(), kind, text, about }
    }
}

impl From<Event> for Row {
    fn from(Event { at, lane, kind, text, about }: Event) -> Self {
        Self(at, lane.map_or(-1, i64::from), kind, text, about)
    }
}

/// One message on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrow {
    /// The lane it left.
    pub from: u32,
    /// The lane it went to.
    pub to: u32,
    /// When its first byte left.
    pub left: u64,
    /// When its last byte was read; `None` if that never happened.
    pub arrived: Option<u64>,
    /// A few letters for the arrow itself.
    pub label: String,
    /// The event with which it left.
    pub event: u32,
    /// The arrow that this one answers.
    pub answers: Option<u32>,
    /// Whether it says that something did not work.
    pub refusal: bool,
    /// The subjects it carries.
    pub about: Vec<u32>,
}

/// Something that lasted on a lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Band {
    /// The lane.
    pub lane: u32,
    /// Which strip of the lane.
    pub strip: Strip,
    /// Its look: `dead`, `dark`, `paused`, `starting`, `cut`, `slow`, `full`, `failing`, `clock`.
    pub look: String,
    /// When it began.
    pub begin: u64,
    /// When it ended.
    pub end: u64,
    /// In words.
    pub text: String,
}

/// The strips of a lane, each for bands that exclude each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strip {
    /// The process lives or does not.
    Life,
    /// Its ways to others.
    Net,
    /// Its disk.
    Disk,
    /// Its clock.
    Clock,
}

/// From a moment on a process has this value, until it has another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The moment.
    pub at: u64,
    /// The process.
    pub lane: u32,
    /// What of it.
    pub key: String,
    /// The value; empty is nothing worth showing.
    pub value: String,
}

/// Something that must never happen and did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// When it was found.
    pub at: u64,
    /// The property's id.
    pub id: String,
    /// What the property claims.
    pub sentence: String,
    /// What happened instead.
    pub details: String,
    /// The events that show it.
    pub events: Vec<u32>,
    /// The subjects to follow.
    pub about: Vec<u32>,
}
