//! The five doors opened onto this machine: tokio, memory maps and the operating system.
//!
//! *Invariant:* this package decides nothing. It knows no message, no log and no protocol; whoever
//! looks for a policy (when to sync, whom to connect to) looks above. Everything it promises is
//! written at the traits of `runtime` and checked by `runtime::testing::suite`, which the
//! simulated twin passes too.

#![expect(clippy::disallowed_methods, reason = "these are the doors that the others go through")]

mod clock;
mod directory;
mod disk;
mod file;
mod lock;
mod memory;
mod net;
mod rng;
mod segment;
mod signal;
mod sparse;
mod task;

use std::io;
use std::path::Path;

use runtime::{Clock, Disk, Net, Runtime, Tasks};

pub use signal::stop_requested;

/// The doors of this process.
pub struct TokioRuntime;

impl TokioRuntime {
    /// Opens the doors: files below `root` (created when missing), this machine's network and
    /// clocks, tasks on the tokio runtime this is called from.
    ///
    /// # Errors
    /// `root` cannot be created or is no directory; there is no source of entropy; the caller is
    /// outside any tokio runtime.
    pub fn open(root: &Path) -> io::Result<Runtime> {
        let handle = tokio::runtime::Handle::try_current().map_err(io::Error::other)?;
        Ok(Runtime {
            clock: Clock::new(clock::MachineClock::new()),
            disk: Disk::new(disk::MachineDisk::open(root, handle.clone())?),
            net: Net::new(net::MachineNet),
            rng: rng::from_entropy()?,
            tasks: Tasks::new(task::MachineTasks::new(handle)),
        })
    }
}
