//! What must never happen: history, ledger, promises and one property per file.
//!
//! Verdicts come from three things only: what clients did and saw ([`history`]), the faults that
//! were really applied ([`ledger`]), and the raw disks, read by a decoder of their own ([`disk`]).
//! Never from the product's memory: it would inherit the product's mistakes.
//!
//! *Invariant:* this package is pure. It knows no clock, no randomness and no file; it observes and
//! changes nothing. Whatever a property excuses, it excuses with an entry of the ledger, by way of
//! the one function [`promise::owes`].
//!
//! How to use it: make a [`Watch`] with [`all`] properties, feed it, and read its violations.
//!
//! | Family | Properties |
//! |---|---|
//! | `durability` | D1 D2 D3 D4 D5 D6 D7 D8 D11 |
//! | `phantom` | P1 P2 P5 |
//! | `integrity` | I1 I2 I3 I6 I19 |
//! | `order` | O1 O2 O3 |
//! | `queue_log` | Q1 Q2 Q3 Q4 Q5 Q6 Q7 Q8 |
//! | `consumer` | C1 C2 C3 C4 |
//! | `recovery` | S1 S2 S3 S4 S5 S6 S7 S9 S10 S12 S14 S16 S17 |
//! | `retention` | E1 E2 E3 E4 E5 S11 |
//! | `rebalance` | B1 |
//! | `long_poll` | LP1 LP2 |
//! | `liveness` | LV1 |

mod answer;
pub mod consumer;
pub mod derivation;
pub mod digest;
pub mod disk;
pub mod durability;
pub mod history;
pub mod identity;
pub mod integrity;
pub mod invariant;
pub mod ledger;
pub mod liveness;
pub mod long_poll;
pub mod order;
pub mod outcome;
pub mod phantom;
pub mod promise;
pub mod queue_log;
pub mod rebalance;
pub mod recovery;
pub mod retention;
pub mod violation;
pub mod world;

mod watch;

// The properties' tests stand beside them and share these, which are no part of the product.
#[cfg(test)]
#[path = "../tests/within/naive_broker.rs"]
mod naive_broker;
#[cfg(test)]
#[path = "../tests/within/short_runs.rs"]
mod testing;

pub use watch::Watch;

use invariant::Invariant;

/// Every property there is, each fresh.
pub fn all() -> Vec<Box<dyn Invariant>> {
    vec![
        Box::new(durability::AckedIsReadable),
        Box::new(durability::WeakIsKept),
        Box::new(durability::RefusedLeavesNoByte),
        Box::new(durability::LossIsBounded),
        Box::new(durability::LossIsASuffix::default()),
        Box::new(durability::ExposedIsOwed::default()),
        Box::new(durability::NoAckAfterFailedSync),
        Box::new(durability::NoSpaceIsAllOrNothing::default()),
        Box::new(durability::ProgressIsKept::default()),
        Box::new(phantom::DeliveredWasSent),
        Box::new(phantom::RefusedIsNotDelivered::default()),
        Box::new(phantom::FilterIsSound::default()),
        Box::new(integrity::ContentIsAsSent),
        Box::new(integrity::PlaceReadsTheSame::default()),
        Box::new(integrity::StoreTimeRises),
        Box::new(integrity::ChecksumIsTheBodys),
        Box::new(integrity::KeyFindsItsMessages),
        Box::new(integrity::DamageIsReported::default()),
        Box::new(order::OffsetsRise::default()),
        Box::new(order::AcksKeepOrder::default()),
        Box::new(order::AppendsFollowTime::default()),
        Box::new(queue_log::OffsetsAreDense::default()),
        Box::new(queue_log::PlaceIsImmutable::default()),
        Box::new(queue_log::MaxNeverFalls::default()),
        Box::new(queue_log::MinNeverFalls::default()),
        Box::new(queue_log::AckNamesThePlace::default()),
        Box::new(queue_log::PullTellsTheTruth),
        Box::new(queue_log::SearchBrackets::default()),
        Box::new(queue_log::VisibleInTime::default()),
        Box::new(consumer::CommitNeverFalls::default()),
        Box::new(consumer::CommitKeepsBehind::default()),
        Box::new(consumer::AtLeastOnce::default()),
        Box::new(consumer::DuplicatesAreExplained::default()),
        Box::new(rebalance::OneOwner::default()),
        Box::new(long_poll::ArrivalWakes::default()),
        Box::new(long_poll::HeldInBounds::default()),
        Box::new(recovery::RecoveryIsIdempotent::default()),
        Box::new(recovery::QueuesMirrorTheLog),
        Box::new(recovery::IndexMirrorsTheLog),
        Box::new(recovery::NoDanglingEntry),
        Box::new(recovery::RecordsAreSound),
        Box::new(recovery::CheckpointIsCovered),
        Box::new(recovery::AbortWhileRunning::default()),
        Box::new(recovery::EveryStartEndsWell),
        Box::new(recovery::RollIsExact),
        Box::new(recovery::GoldenBytes),
        Box::new(recovery::TablesAreWhole),
        Box::new(recovery::TablesAreHandedOn),
        Box::new(recovery::StartKeepsPlaces),
        Box::new(retention::DeletionIsDue),
        Box::new(retention::HeadGoesFirst),
        Box::new(retention::LaggingReaderIsTold),
        Box::new(retention::QueuesFollowTheLog),
        Box::new(retention::ReaderMeetsNoGap),
        Box::new(retention::SpaceIsFreed),
        Box::new(liveness::ServesAfterTheHeal),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn every_property_has_a_name_of_its_own_and_says_what_it_does_not_see() {
        let claims: Vec<_> = super::all().iter().map(|invariant| invariant.claim()).collect();
        let ids: BTreeSet<&str> = claims.iter().map(|claim| claim.id).collect();
        let listed = "B1 C1 C2 C3 C4 D1 D11 D2 D3 D4 D5 D6 D7 D8 D9 E1 E2 E3 E4 E5 I1 I19 I2 I3 \
                      I6 LP1 LP2 LV1 O1 O2 O3 P1 P2 P5 Q1 Q2 Q3 Q4 Q5 Q6 Q7 Q8 S1 S10 S11 \
                      S12 S14 S16 S17 S2 S3 S4 S5 S6 S7 S9";
        assert_eq!(ids.into_iter().collect::<Vec<_>>().join(" "), listed);
        for claim in claims {
            assert!(claim.sentence.ends_with('.') && !claim.source.is_empty(), "{}", claim.id);
            assert!(!claim.limits.is_empty(), "{}", claim.id);
        }
    }
}
