//! The five doors opened onto a seed: simulated disk, net and clock with faults.
//!
//! A [`World`] is one run: nodes with an address and a disk, one virtual time that jumps from event
//! to event, and every random choice drawn from named streams of one seed. madsim carries the
//! executor, the time and the nodes' lives; its network, its file system and its clock are not
//! used, because they lose nothing, tear nothing and never fall silent.
//!
//! *Invariant:* this package knows `runtime` and nothing of the product. What a fault excuses is
//! for the promise calculus to say; here faults only happen, and every one of them is in the trace.

#[cfg(not(madsim))]
compile_error!(
    "`sim` needs `--cfg madsim`, which stands in .cargo/config.toml; a RUSTFLAGS variable replaces \
     it, so unset RUSTFLAGS or add the flag there"
);

mod census;
mod clock;
mod control;
mod disk;
pub mod fault;
mod ground;
mod incident;
mod latency;
mod net;
mod node;
mod probe;
mod removal;
mod rng;
mod task;
mod timer;
mod trace;
mod waits;
mod world;

pub use control::{Control, Life};
pub use disk::{Crashes, DiskImages, PAGE, SECTOR, Wreck};
pub use incident::{Incident, IncidentKind};
pub use latency::Latency;
pub use net::NetShape;
pub use node::Node;
pub use probe::{ProbeCount, Probes};
pub use removal::Removal;
pub use rng::root;
pub use trace::{Aspect, EVENTS_PER_MARK, Passage, Trace, TraceEvent};
pub use waits::waits;
pub use world::World;
