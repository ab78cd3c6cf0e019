//! What every opening of the doors must do. Both twins run it.
//!
//! The suite uses the doors only, so it proves nothing about power loss, lost packets or skew:
//! these are the simulated twin's own tests. It never asserts that something was *fast*, so it
//! holds on a busy machine too. A broken promise is a panic that says which.

mod clock;
mod disk;
mod disk_segment;
mod net;
mod net_close;
mod rng;
mod task;

use crate::Runtime;

/// Runs everything on an empty disk (other than by this suite it must not be used meanwhile) and a
/// network on which this node reaches itself as `127.0.0.1`.
///
/// # Panics
/// When a promise of a door is broken.
pub async fn suite(runtime: &Runtime) {
    clock::suite(&runtime.clock).await;
    rng::suite(&runtime.rng);
    task::suite(&runtime.tasks, &runtime.clock).await;
    disk::suite(&runtime.disk).await;
    disk_segment::suite(&runtime.disk).await;
    net::suite(runtime).await;
    net_close::suite(runtime).await;
}
