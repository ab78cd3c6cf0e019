//! The plan of consumers.
//!
//! Order of draws: how many groups; for each group, from a stream of its own, its tags, how many
//! members, and for each member when it joins, when it leaves and how it consumes. The reader has a
//! stream of its own.

use runtime::Rng;
use serde::{Deserialize, Serialize};

use crate::listener::Behaviour;
use crate::produce::TAGS;
use crate::reader::{self, ReaderPlan};
use crate::scenario::Span;

/// What the plan is drawn from.
#[derive(Clone, Debug)]
pub struct Knobs {
    /// The number of the first group: names must not repeat within a run.
    pub first: u32,
    /// How many groups.
    pub groups: Span,
    /// Members of each.
    pub members: Span,
    /// What they read.
    pub topics: Vec<String>,
    /// How long the traffic lasts, about.
    pub lasts_ms: u64,
    /// Whether the reader also asks for bounds and times, and pulls where nothing can be.
    pub odd: bool,
}

/// All consumers of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What they read.
    pub topics: Vec<String>,
    /// The groups.
    pub groups: Vec<GroupPlan>,
    /// The reader, if there is one.
    pub reader: Option<ReaderPlan>,
}

/// One group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupPlan {
    /// Its name.
    pub group: String,
    /// The tags it wants; `None` for all.
    pub tags: Option<Vec<String>>,
    /// Its members.
    pub members: Vec<MemberPlan>,
}

/// One member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberPlan {
    /// Its number in the group.
    pub number: u32,
    /// The pause before it first joins.
    pub joins_after_ms: u64,
    /// How long it stays and is away then, again and again; after the last it stays.
    pub stays: Vec<(u64, u64)>,
    /// Calls of its listener at the same time.
    pub concurrency_max: u64,
    /// What its listener does.
    pub behaviour: Behaviour,
}

impl MemberPlan {
    /// The name of its node, in a group.
    pub fn name(&self, group: &str) -> String {
        format!("{group}-member-{}", self.number)
    }
}

/// Draws a plan.
pub fn plan(rng: &Rng, knobs: &Knobs) -> Plan {
    let count = knobs.groups.draw(rng) as u32;
    let groups = (knobs.first..knobs.first + count)
        .map(|number| plan_group(&rng.stream(&format!("group/{number}")), number, knobs))
        .collect();
    let reader = reader::plan(&rng.stream("reader"), knobs.first, knobs.odd);
    Plan { topics: knobs.topics.clone(), groups, reader: Some(reader) }
}

fn plan_group(rng: &Rng, number: u32, knobs: &Knobs) -> GroupPlan {
    let first = rng.below(TAGS.len() as u64 - 1) as usize;
    let two = TAGS[first..first + 2].iter();
    let tags = rng.chance(0.3).then(|| two.map(|tag| (*tag).to_owned()).collect());
    let members = 0..knobs.members.draw(rng) as u32;
    let members = members.map(|number| plan_member(rng, number, knobs)).collect();
    GroupPlan { group: format!("group-{number}"), tags, members }
}

fn plan_member(rng: &Rng, number: u32, knobs: &Knobs) -> MemberPlan {
    let joins_after_ms = rng.below(knobs.lasts_ms / 4 + 1);
    let stay = |_| (1_000 + rng.below(knobs.lasts_ms / 2 + 1), rng.below(15_000));
    let stays = (0..rng.below(3)).map(stay).collect();
    let concurrency_max = Span { low: 1, high: 8 }.draw(rng);
    let behaviour = Behaviour {
        seed: rng.next_u64(),
        fails_per_thousand: if rng.chance(0.5) { rng.below(100) } else { 0 },
        takes_ms_max: if rng.chance(0.5) { rng.below(300) } else { 0 },
    };
    MemberPlan { number, joins_after_ms, stays, concurrency_max, behaviour }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn one_stream_gives_one_plan_and_it_survives_being_written_down() {
        let knobs = Knobs {
            first: 1_000,
            groups: Span { low: 1, high: 3 },
            members: Span { low: 1, high: 3 },
            topics: vec!["A".to_owned()],
            lasts_ms: 60_000,
            odd: true,
        };
        let mut groups = BTreeSet::new();
        for seed in 0..20 {
            let drawn = plan(&Rng::from_seed([seed; 32]), &knobs);
            assert_eq!(drawn, plan(&Rng::from_seed([seed; 32]), &knobs));
            let text = toml::to_string(&drawn).expect("a plan is plain data");
            assert_eq!(toml::from_str::<Plan>(&text).expect("its own text"), drawn);
            assert!(drawn.groups.iter().all(|group| (1..=3).contains(&group.members.len())));
            groups.insert(drawn.groups.len());
        }
        assert_eq!(groups.into_iter().collect::<Vec<_>>(), [1, 2, 3]);
    }
}
