//! The classes of faults, as the coverage report counts them. `ci/coverage-floor.toml` has a floor
//! for each; a class that strikes and has none there is a finding of `cargo sim coverage`.

use sim::IncidentKind;
use sim_capsule::Strike;
use workloads::scenario::NemesisKind;

/// The class of a strike that is counted when it is applied; `None` for those that only make the
/// disk ready to fail, or wait for it: they count when it does.
pub(crate) fn of_strike(strike: &Strike) -> Option<&'static str> {
    let client = !strike.node.starts_with("broker") && !strike.node.starts_with("namesrv");
    Some(match strike.kind {
        NemesisKind::Kill | NemesisKind::KillInRecovery if client => "client_kill",
        NemesisKind::Kill | NemesisKind::KillInRecovery => "kill",
        NemesisKind::PowerFail | NemesisKind::PowerFailInRecovery if client => "client_power_fail",
        NemesisKind::PowerFail | NemesisKind::PowerFailInRecovery => "power_fail",
        NemesisKind::Pause if client => "client_pause",
        NemesisKind::Pause => "pause",
        NemesisKind::Stop => "stop",
        NemesisKind::SlowStart => "slow_start",
        NemesisKind::ReplaceMachine => "replaced_machine",
        NemesisKind::WipeDisk | NemesisKind::UntoldWipe => "wiped_disk",
        NemesisKind::Partition => "partition",
        NemesisKind::OneWay => "partition_one_way",
        NemesisKind::Reset => "reset",
        NemesisKind::HalfOpen => "half_open",
        NemesisKind::Latency => "latency",
        NemesisKind::Loss => "loss",
        NemesisKind::Clog => "clog",
        NemesisKind::Refuse => "refuse",
        NemesisKind::SlowReader => "slow_reader",
        NemesisKind::SplitBytes => "split_bytes",
        NemesisKind::Bandwidth => "bandwidth",
        NemesisKind::AcceptError => "accept_error",
        NemesisKind::ClockSkew | NemesisKind::ClockJump | NemesisKind::ClockDrift if client => {
            "client_clock"
        }
        NemesisKind::ClockSkew => "clock_skew",
        NemesisKind::ClockDrift => "clock_drift",
        NemesisKind::ClockJump if strike.amount < -HOUR_MS => "clock_back_by_hours",
        NemesisKind::ClockJump if strike.amount < 0 => "clock_back",
        NemesisKind::ClockJump => "clock_forward",
        NemesisKind::SlowDisk if stands_still(strike) => "stalled_disk",
        NemesisKind::SlowDisk => "slow_disk",
        NemesisKind::Evict => "evict",
        NemesisKind::BadSector => "bad_sector",
        NemesisKind::BitRot => "bit_rot",
        NemesisKind::FullDisk
        | NemesisKind::SyncError
        | NemesisKind::PowerFailAmid
        | NemesisKind::RemoveError
        | NemesisKind::WritebackError
        | NemesisKind::ReadError
        | NemesisKind::WriteError
        | NemesisKind::MisdirectedWrite => return None,
    })
}

/// An hour, in ms.
const HOUR_MS: i64 = 3_600_000;

/// Whether a slow disk does not answer at all.
pub(crate) fn stands_still(strike: &Strike) -> bool {
    strike.amount % 2 == 0
}

/// The class of something that went wrong on a disk; `None` for the second half of one that is told
/// twice.
pub(crate) fn of_incident(kind: IncidentKind) -> Option<&'static str> {
    Some(match kind {
        IncidentKind::Sync => "sync_error",
        IncidentKind::Read => "read_error",
        IncidentKind::Write => "write_error",
        IncidentKind::Remove => "remove_error",
        IncidentKind::Writeback => "writeback_error",
        IncidentKind::NoSpace => "full_disk",
        IncidentKind::Misdirected => "misdirected_write",
        IncidentKind::Overwritten => return None,
        IncidentKind::PagesLost => "unsynced_pages_lost",
        IncidentKind::PagesTorn => "pages_torn",
        IncidentKind::FilesReordered => "files_reordered",
        IncidentKind::NamesLost => "names_lost",
    })
}

/// The class of a strike between two operations of a disk: while its node recovers, or serves.
pub(crate) fn of_doom(power: bool, recovers: bool) -> &'static str {
    match (power, recovers) {
        (true, true) => "power_fail_in_recovery",
        (false, _) => "kill_in_recovery",
        (true, false) => "power_fail_amid",
    }
}
