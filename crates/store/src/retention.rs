//! How long messages are kept and how full the disk may get.

use crate::error::OpenError;
use crate::hours::Hours;

/// When old segments go. The defaults are those of RocketMQ 4.9.
#[derive(Clone, Debug)]
pub struct Retention {
    /// `fileReservedTime`, in ms: a segment may go when its newest record is older.
    pub reserved_ms: u64,
    /// `deleteWhen`: in these hours of the local day expired segments go.
    pub hours: Hours,
    /// `diskMaxUsedSpaceRatio`, in percent: above it expired segments go at any hour.
    pub disk_used_max_percent: u64,
    /// `diskSpaceCleanForciblyRatio`, in percent: above it the oldest segments go whatever their
    /// age, until the disk is below it again.
    pub disk_forcible_percent: u64,
    /// `diskSpaceWarningLevelRatio`, in percent: above it nothing is appended.
    pub disk_warning_percent: u64,
    /// `cleanFileForciblyEnable`: whether segments that are not expired may go at all.
    pub forcible: bool,
    /// `deleteCommitLogFilesInterval`, in ms: the pause between two files.
    pub delete_pause_ms: u64,
    /// `cleanResourceInterval`, in ms: the pause between two passes.
    pub interval_ms: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            reserved_ms: 72 * 3_600_000,
            hours: Hours::default(),
            disk_used_max_percent: 75,
            disk_forcible_percent: 85,
            disk_warning_percent: 90,
            forcible: true,
            delete_pause_ms: 100,
            interval_ms: 10_000,
        }
    }
}

impl Retention {
    /// Refuses a pause of nothing, with which the cleaner would never rest.
    pub(crate) fn check(&self) -> Result<(), OpenError> {
        if self.interval_ms == 0 {
            return Err(OpenError::Config { setting: "retention.interval_ms", value: 0, least: 1 });
        }
        Ok(())
    }
}
