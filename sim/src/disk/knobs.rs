//! How a disk behaves: its speed, its size, and what goes wrong on it.

use std::time::Duration;

use crate::latency::Latency;

/// How a node's disk behaves. Chances are between 0 and 1.
#[derive(Clone, Debug)]
pub(crate) struct Knobs {
    /// Of every operation that is awaited.
    pub(crate) latency: Latency,
    /// Every latency is multiplied by it.
    pub(crate) slow: u32,
    /// All of the disk, in bytes.
    pub(crate) capacity: u64,
    /// That a read fails.
    pub(crate) read_error: f64,
    /// That a write fails.
    pub(crate) write_error: f64,
    /// That a sync fails.
    pub(crate) sync_error: f64,
    /// So many of the next syncs fail, whatever the chance says.
    pub(crate) sync_errors_due: u32,
    /// So many of the next removals of a file fail; nothing is removed.
    pub(crate) remove_errors_due: u32,
    /// That the kernel's own writeback of a file fails; the next sync of the file says so.
    pub(crate) writeback_error: f64,
    /// In so many of the next syncs one page goes to the wrong place.
    pub(crate) misdirections_due: u32,
    /// Only pages of files whose path contains this are misdirected.
    pub(crate) misdirections_within: String,
    /// Pages that were misdirected drop out of the cache at once, so that reads see the device.
    pub(crate) misdirections_evict: bool,
    /// That a dirty page, a length or a name is lost at a power failure. `None` draws it anew for
    /// each: some lose everything, some nothing, most something.
    pub(crate) lost: Option<f64>,
    /// That a dirty page that is not lost is torn.
    pub(crate) torn: f64,
    /// The longest wait until the kernel writes a part of the dirty pages back on its own; zero
    /// turns it off.
    pub(crate) writeback: Duration,
    /// Nothing that is awaited ends while it is set.
    pub(crate) stalled: bool,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            latency: Latency::between(Duration::from_micros(60), Duration::from_millis(500)),
            slow: 1,
            capacity: 1 << 40,
            read_error: 0.0,
            write_error: 0.0,
            sync_error: 0.0,
            sync_errors_due: 0,
            remove_errors_due: 0,
            writeback_error: 0.0,
            misdirections_due: 0,
            misdirections_within: String::new(),
            misdirections_evict: false,
            lost: None,
            torn: 0.3,
            writeback: Duration::from_secs(10),
            stalled: false,
        }
    }
}
