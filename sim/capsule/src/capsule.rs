//! A plan in a file, with what came of it.

use serde::{Deserialize, Serialize};

use crate::plan::Plan;

/// The format that is written. A file of a later one is refused: what it lacks would be guessed.
pub const FORMAT: u32 = 1;

/// A run in a file. It holds everything that was drawn beforehand, so it means the same after the
/// generator or the scenario has changed; a seed does not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capsule {
    /// Which format the file has: see [`FORMAT`].
    pub format: u32,
    /// The product's commit, if it is known.
    #[serde(default)]
    pub commit: String,
    /// What came of it, by the product of that commit.
    pub expected: Expected,
    /// The run.
    pub plan: Plan,
}

/// What came of a run. Another product has other histories, so a hash that differs proves nothing
/// across commits; within one it must not differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The rolling hash over every event.
    pub hash: String,
    /// How many events there were.
    pub events: u64,
    /// What makes failures the same; empty when the run passed.
    pub fingerprint: String,
}

/// A text that is no capsule of this house.
#[derive(Debug, thiserror::Error)]
pub enum NotACapsule {
    /// It is not even of the form.
    #[error("{0}")]
    Malformed(#[from] toml::de::Error),
    /// It was written by a later version.
    #[error("it has format {found}, and this program knows formats up to {FORMAT}: update it")]
    TooNew {
        /// Its format.
        found: u32,
    },
}

impl Capsule {
    /// A capsule of the newest format.
    pub fn new(commit: &str, expected: Expected, plan: Plan) -> Self {
        Self { format: FORMAT, commit: commit.to_owned(), expected, plan }
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// When it is no capsule, or one of a later format.
    pub fn parse(text: &str) -> Result<Self, NotACapsule> {
        let head: Head = toml::from_str(text)?;
        match head.format {
            found if found > FORMAT => Err(NotACapsule::TooNew { found }),
            _ => Ok(toml::from_str(text)?),
        }
    }

    /// The file's text.
    pub fn text(&self) -> String {
        toml::to_string(self).expect("a capsule is plain data")
    }
}

/// What tells the format; the rest may be of any form.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

#[cfg(test)]
mod tests {
    use runtime::Rng;
    use workloads::scenario::{self, Scenario};

    use super::*;
    use crate::draw;

    fn drawn(scenario: &Scenario, seed: u8) -> Plan {
        draw::plan(scenario, u64::from(seed), &Rng::from_seed([seed; 32]))
    }

    #[test]
    fn every_plan_survives_being_written_down() {
        for scenario in scenario::all() {
            for seed in 0..8 {
                let plan = drawn(&scenario, seed);
                let expected = Expected { hash: "ab".into(), events: 7, fingerprint: "".into() };
                let capsule = Capsule::new("c0ffee", expected, plan);
                assert_eq!(Capsule::parse(&capsule.text()).expect("its own text"), capsule);
            }
        }
    }

    #[test]
    fn a_capsule_is_the_same_run_after_its_scenario_was_edited() {
        let mut scenario = scenario::all().into_iter().find(|all| all.name == "everything");
        let scenario = scenario.as_mut().expect("it is there");
        let text = Capsule::new("", Expected::default(), drawn(scenario, 3)).text();
        let before = drawn(scenario, 3);
        scenario.nemeses.remove(0);
        scenario.phases.fault += 1;
        assert_ne!(drawn(scenario, 3), before, "the seed means another run now");
        assert_eq!(Capsule::parse(&text).expect("its own text").plan, before);
    }

    #[test]
    fn a_later_format_is_refused_and_says_so() {
        let later = format!("format = {}\nsomething = \"new\"\n", FORMAT + 1);
        let refused = Capsule::parse(&later).expect_err("nobody knows it");
        assert!(refused.to_string().contains("update"), "{refused}");
        assert!(Capsule::parse("format = 1").is_err());
        assert!(Capsule::parse("title = 'x'").is_err());
    }
}
