//! The five doors to the outside: clock, disk, net, rng and tasks.
//!
//! Each door is a small object-safe trait behind a cheap, cloneable handle. A constructor takes
//! the handles it needs and no others, so its signature says what it may touch.
//!
//! *Invariant:* this package knows no operating system and no simulator. `runtime-tokio` opens the
//! doors onto this machine, `sim` opens them onto a seed, and [`testing`] is the one suite that
//! both must pass.

mod clock;
mod disk;
mod net;
pub mod probe;
mod rng;
pub mod sync;
mod task;
pub mod testing;

pub use clock::{Clock, ClockBackend, Elapsed, Monotonic};
pub use disk::{
    Disk, DiskBackend, DiskLock, DiskSpace, Entry, EntryKind, SegmentBackend, SegmentFile,
};
pub use net::{Listener, ListenerBackend, Net, NetBackend, Stream, StreamBackend};
pub use rng::Rng;
pub use task::{Task, TaskBackend, Tasks};

/// A future the seam hands across.
pub type Boxed<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One node's view of the world; for wiring, and nothing else.
#[derive(Clone)]
pub struct Runtime {
    /// Time.
    pub clock: Clock,
    /// Files.
    pub disk: Disk,
    /// Byte streams.
    pub net: Net,
    /// Randomness.
    pub rng: Rng,
    /// Tasks.
    pub tasks: Tasks,
}
