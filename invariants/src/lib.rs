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
//! | `durability` | D1 D3 D4 D5 D6 D7 |
//! | `phantom` | P1 P2 |
//! | `integrity` | I1 I2 |
//! | `order` | O1 O2 |
//! | `queue_log` | Q1 Q3 Q5 |
//! | `consumer` | C3 |
//! | `recovery` | S1 S2 S5 S9 |

pub mod digest;
pub mod disk;
pub mod history;
pub mod identity;
pub mod invariant;
pub mod ledger;
pub mod outcome;
pub mod promise;
pub mod violation;
pub mod world;

mod watch;

pub use watch::Watch;

use invariant::Invariant;

/// Every property there is, each fresh.
pub fn all() -> Vec<Box<dyn Invariant>> {
    vec![]
}
