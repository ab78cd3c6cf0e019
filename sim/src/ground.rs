//! What every door stands on: true time, the trace and the root of the streams.

use std::fmt;
use std::time::Duration;

use madsim::runtime::NodeHandle;
use runtime::Rng;

use crate::incident::Incidents;
use crate::node::Node;
use crate::removal::Removals;
use crate::timer::{Alarm, Timers};
use crate::trace::{Aspect, Event, Passage, Trace};

/// What every door stands on. Clones are the same ground.
#[derive(Clone)]
pub(crate) struct Ground {
    pub(crate) timers: Timers,
    pub(crate) trace: Trace,
    pub(crate) root: Rng,
    pub(crate) incidents: Incidents,
    pub(crate) removals: Removals,
    /// Runs what the world itself does in the background; never killed.
    pub(crate) keeper: NodeHandle,
}

impl Ground {
    /// True time since the world began.
    pub(crate) fn now(&self) -> Duration {
        self.timers.now()
    }

    /// Rings once `duration` has passed in true time.
    pub(crate) fn after(&self, duration: Duration) -> Alarm {
        self.timers.after(duration)
    }

    /// The stream of that name.
    pub(crate) fn stream(&self, name: &str) -> Rng {
        self.root.stream(name)
    }

    /// Puts an event of `node` into the trace.
    pub(crate) fn record(
        &self,
        node: &Node,
        what: &'static str,
        numbers: [u64; 2],
        detail: fmt::Arguments<'_>,
    ) {
        let event = Event { what, numbers, detail, aspect: Aspect::Plain };
        self.trace.record(self.now(), Some(node), event);
    }

    /// Puts bytes that `node` gave to a connection or took from it into the trace.
    pub(crate) fn record_passage(&self, node: &Node, what: &'static str, passage: Passage<'_>) {
        let numbers = [passage.connection, passage.bytes.len() as u64];
        let (detail, aspect) = (format_args!("{}", passage.peer), Aspect::Passage(passage));
        self.trace.record(self.now(), Some(node), Event { what, numbers, detail, aspect });
    }
}
