//! What every property is: a claim, and up to three moments at which it looks.

use crate::disk::NodeDisk;
use crate::history::Event;
use crate::violation::Violation;
use crate::world::{Recovery, World};

/// Violations of one property that are kept; the others are only counted.
const VIOLATIONS_KEPT_MAX: usize = 16;

/// A property in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Its name in the catalogue, such as `D1`.
    pub id: &'static str,
    /// What must hold, in one sentence.
    pub sentence: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// What it does not see.
    pub limits: &'static str,
}

/// Something that must never be broken. It draws no randomness and changes nothing but itself.
pub trait Invariant {
    /// What it claims.
    fn claim(&self) -> &'static Claim;

    /// Looks at what a client just did or saw.
    fn on_event(&mut self, _world: &World<'_>, _event: &Event, _found: &mut Found) {}

    /// Looks at a node that was just started on a disk it had before.
    fn on_recovery(&mut self, _world: &World<'_>, _recovery: &Recovery, _found: &mut Found) {}

    /// Looks at everything when clients have drained and no fault strikes any more. `disks` are
    /// what programs could read on each node, running or dead.
    fn when_quiet(&mut self, _world: &World<'_>, _disks: &[NodeDisk], _found: &mut Found) {}
}

/// What one property has checked and found.
#[derive(Clone, Debug)]
pub struct Found {
    claim: &'static Claim,
    node: Option<String>,
    checks: u64,
    broken: u64,
    violations: Vec<Violation>,
}

impl Found {
    /// Nothing yet.
    pub fn new(claim: &'static Claim) -> Self {
        Self { claim, node: None, checks: 0, broken: 0, violations: Vec::new() }
    }

    /// Counts one real check. When it does not hold, keeps a violation with the fewest events that
    /// show it (as indices of the history) and what `details` says.
    pub fn check(
        &mut self,
        holds: bool,
        events: impl IntoIterator<Item = usize>,
        details: impl FnOnce() -> String,
    ) {
        self.checks += 1;
        if holds {
            return;
        }
        self.broken += 1;
        if self.violations.len() < VIOLATIONS_KEPT_MAX {
            let mut events: Vec<usize> = events.into_iter().collect();
            events.sort_unstable();
            events.dedup();
            self.violations.push(Violation {
                id: self.claim.id,
                sentence: self.claim.sentence,
                events,
                node: self.node.clone(),
                details: details(),
            });
        }
    }

    /// Says which node the next checks are about, if any.
    pub fn about(&mut self, node: Option<&str>) {
        self.node = node.map(str::to_owned);
    }

    /// What was claimed.
    pub fn claim(&self) -> &'static Claim {
        self.claim
    }

    /// How often something was really checked. Zero over many runs means that it checks nothing.
    pub fn checks(&self) -> u64 {
        self.checks
    }

    /// How often it did not hold.
    pub fn broken(&self) -> u64 {
        self.broken
    }

    /// The violations that were kept.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }
}
