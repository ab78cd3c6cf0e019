//! Which segments go: pure, from what is known at one moment.
//!
//! | rule | when | what |
//! |---|---|---|
//! | hour | the local hour is one of `deleteWhen` | expired segments |
//! | manual | an operator asked | expired segments |
//! | space | the disk is above `diskMaxUsedSpaceRatio` | expired segments |
//! | forced | it is above `diskSpaceCleanForciblyRatio` | the oldest, until it is below |
//!
//! A segment's age is that of its newest record, by the store time in the records: a file's
//! modification time says when somebody copied it. Where the newest time or the disk's space is
//! not known, no rule that needs it holds: unknown is neither old nor full.

use runtime::DiskSpace;

use crate::retention::Retention;

/// At most so many segments go in one pass.
pub(super) const BATCH_MAX: usize = 10;

/// One segment that could go: it is not written any more and all of it is dispatched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    /// Its length in bytes.
    pub(super) len: u64,
    /// No record of it was stored later, in ms by the node's clock; `None` where nobody knows.
    pub(super) newest_ms: Option<u64>,
}

/// What is known at the moment of a pass.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// The node's wall clock in ms.
    pub(super) now_ms: u64,
    /// Local time minus UTC in ms.
    pub(super) utc_offset_ms: i64,
    /// Whether an operator asked for this pass.
    pub(super) manual: bool,
    /// The disk's space, if it said so.
    pub(super) space: Option<DiskSpace>,
}

/// Why a segment goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// Its newest record is older than what is kept.
    Expired,
    /// The disk is too full for it.
    Forced,
}

/// Whether so much of the disk is used, and more. `None` when nobody knows.
pub(super) fn is_above(space: Option<DiskSpace>, percent: u64) -> Option<bool> {
    let DiskSpace { total, available } = space.filter(|space| space.total > 0)?;
    let used = u128::from(total.saturating_sub(available));
    Some(used * 100 > u128::from(percent) * u128::from(total))
}

/// Whether any rule holds, so that it is worth looking at the segments.
pub(super) fn is_due(moment: &Moment, policy: &Retention) -> bool {
    deletes_expired(moment, policy) || forces(moment.space, policy)
}

/// Which of the candidates, oldest first, go: those from the head on for which the answer has a
/// reason.
pub(super) fn decide(candidates: &[Candidate], moment: &Moment, policy: &Retention) -> Vec<Reason> {
    let deletes_expired = deletes_expired(moment, policy);
    let mut freed = 0;
    let mut reasons = Vec::new();
    for candidate in candidates.iter().take(BATCH_MAX) {
        let reason = if deletes_expired && is_expired(candidate, moment, policy) {
            Reason::Expired
        } else if forces(with_freed(moment.space, freed), policy) {
            Reason::Forced
        } else {
            // Never a later one before an earlier one: the log has no holes.
            break;
        };
        freed += candidate.len;
        reasons.push(reason);
    }
    reasons
}

fn deletes_expired(moment: &Moment, policy: &Retention) -> bool {
    moment.manual
        || policy.hours.contains(moment.now_ms, moment.utc_offset_ms)
        || is_above(moment.space, policy.disk_used_max_percent) == Some(true)
}

fn forces(space: Option<DiskSpace>, policy: &Retention) -> bool {
    policy.forcible && is_above(space, policy.disk_forcible_percent) == Some(true)
}

fn is_expired(candidate: &Candidate, moment: &Moment, policy: &Retention) -> bool {
    let newest_ms = candidate.newest_ms;
    newest_ms.is_some_and(|newest| newest.saturating_add(policy.reserved_ms) < moment.now_ms)
}

/// The space when so many bytes are gone: a file's blocks come back once nobody reads it any more,
/// and a slow reader is no reason to delete more.
fn with_freed(space: Option<DiskSpace>, freed: u64) -> Option<DiskSpace> {
    space.map(|space| DiskSpace { available: space.available.saturating_add(freed), ..space })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hours::Hours;

    const NOW_MS: u64 = 20_000 * 24 * 3_600_000 + 12 * 3_600_000;
    const KEPT_MS: u64 = 72 * 3_600_000;
    const OLD: Candidate = Candidate { len: 10, newest_ms: Some(NOW_MS - KEPT_MS - 1) };
    const YOUNG: Candidate = Candidate { len: 10, newest_ms: Some(NOW_MS - KEPT_MS) };
    const UNKNOWN: Candidate = Candidate { len: 10, newest_ms: None };

    fn used(percent: u64) -> Option<DiskSpace> {
        Some(DiskSpace { total: 1_000, available: 1_000 - 10 * percent })
    }

    fn at_noon(space: Option<DiskSpace>) -> Moment {
        Moment { now_ms: NOW_MS, utc_offset_ms: 0, manual: false, space }
    }

    fn gone(candidates: &[Candidate], moment: &Moment) -> usize {
        let policy = Retention::default();
        let reasons = decide(candidates, moment, &policy);
        assert!(reasons.is_empty() || is_due(moment, &policy), "what goes was due");
        reasons.len()
    }

    #[test]
    fn without_a_rule_nothing_goes_however_old() {
        assert_eq!(gone(&[OLD; 3], &at_noon(used(75))), 0);
        assert_eq!(gone(&[OLD; 3], &at_noon(None)), 0);
        assert!(!is_due(&at_noon(used(75)), &Retention::default()));
    }

    #[test]
    fn what_is_expired_goes_in_its_hour_on_demand_and_when_the_disk_is_rather_full() {
        let four = Moment { now_ms: NOW_MS, utc_offset_ms: -8 * 3_600_000, ..at_noon(used(1)) };
        let asked = Moment { manual: true, ..at_noon(None) };
        for moment in [four, asked, at_noon(used(76))] {
            assert_eq!(gone(&[OLD, OLD, YOUNG, OLD], &moment), 2, "{moment:?}");
            assert_eq!(gone(&[YOUNG, OLD], &moment), 0, "{moment:?}");
            assert_eq!(gone(&[UNKNOWN, OLD], &moment), 0, "unknown is not old: {moment:?}");
            assert_eq!(gone(&[OLD; 25], &moment), BATCH_MAX);
        }
    }

    #[test]
    fn a_disk_that_is_too_full_takes_the_oldest_whatever_their_age_until_it_is_not() {
        assert_eq!(gone(&[YOUNG; 9], &at_noon(used(85))), 0);
        assert_eq!(gone(&[YOUNG; 9], &at_noon(used(86))), 1);
        assert_eq!(gone(&[YOUNG, UNKNOWN, YOUNG, YOUNG], &at_noon(used(88))), 3);
        assert_eq!(gone(&[YOUNG; 25], &at_noon(used(100))), BATCH_MAX);
        let kept = Retention { forcible: false, ..Retention::default() };
        assert_eq!(decide(&[YOUNG; 9], &at_noon(used(100)), &kept), []);
        assert_eq!(decide(&[OLD, YOUNG], &at_noon(used(100)), &kept), [Reason::Expired]);
    }

    #[test]
    fn the_expired_count_as_freed_before_the_young_are_forced() {
        let reasons = decide(&[OLD, OLD, YOUNG], &at_noon(used(87)), &Retention::default());
        assert_eq!(reasons, [Reason::Expired, Reason::Expired]);
        let reasons = decide(&[OLD, YOUNG, YOUNG], &at_noon(used(87)), &Retention::default());
        assert_eq!(reasons, [Reason::Expired, Reason::Forced]);
    }

    #[test]
    fn unknown_space_is_neither_full_nor_empty() {
        assert_eq!(is_above(None, 0), None);
        assert_eq!(is_above(Some(DiskSpace { total: 0, available: 0 }), 0), None);
        assert_eq!(is_above(used(90), 90), Some(false));
        assert_eq!(is_above(used(91), 90), Some(true));
        let huge = DiskSpace { total: u64::MAX, available: 0 };
        assert_eq!(is_above(Some(huge), 99), Some(true));
        assert_eq!(gone(&[YOUNG; 3], &at_noon(None)), 0);
    }

    #[test]
    fn a_clock_that_runs_back_expires_nothing() {
        let early = Moment { now_ms: 5, manual: true, ..at_noon(None) };
        assert_eq!(gone(&[OLD; 3], &early), 0);
        let never = Retention { reserved_ms: u64::MAX, hours: Hours::ALL, ..Retention::default() };
        assert_eq!(decide(&[OLD], &at_noon(None), &never), []);
    }
}
