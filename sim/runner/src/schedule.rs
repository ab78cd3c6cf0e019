//! Which seeds run under which scenario: a pure function of the options.

use crate::cli::RunOptions;
use crate::entry;
use crate::error::RunnerError;
use crate::job::Job;
use crate::scratch::workspace_root;

/// The jobs of a run: every seed under one scenario, chosen by the scenarios' weights and the
/// seed's own number, so that a seed means the same whatever the range it is in. A run of all
/// scenarios begins with the seeds that once failed.
///
/// # Errors
/// When a scenario is unknown or an entry in `seeds/` is malformed.
pub(crate) fn jobs(options: &RunOptions) -> Result<Vec<Job>, RunnerError> {
    let chosen = scenarios(&options.scenario)?;
    let (k, n) = options.shard.unwrap_or((1, 1));
    let from = options.range.first();
    let seeds = from..from.saturating_add(options.seeds);
    let in_shard = seeds.filter(|seed| seed % n == k - 1);
    let mut jobs = Vec::new();
    if options.scenario.is_empty() {
        let entries = entry::all(&workspace_root().join("seeds"))?;
        // Each shard has its part of them, too, or a merged run would count them n times.
        let mine = (0..).zip(entries).filter(|(at, _)| at % n == k - 1);
        jobs.extend(mine.map(|(_, (path, _))| Job::Capsule(path)));
    }
    jobs.extend(in_shard.map(|seed| Job::seed(&pick(&chosen, seed), seed)));
    Ok(jobs)
}

/// So many seeds of all scenarios, as a run of the gate takes them.
///
/// # Errors
/// As [`scenarios`].
pub(crate) fn mix(from: u64, count: u64) -> Result<Vec<Job>, RunnerError> {
    let chosen = scenarios(&[])?;
    Ok((from..from.saturating_add(count))
        .map(|seed| Job::seed(&pick(&chosen, seed), seed))
        .collect())
}

/// Names and weights of the scenarios that were asked for; all if none was.
///
/// # Errors
/// When one is unknown.
pub(crate) fn scenarios(names: &[String]) -> Result<Vec<(String, u64)>, RunnerError> {
    let all: Vec<(String, u64)> = crate::seed::scenarios()
        .iter()
        .map(|scenario| (scenario.name.clone(), u64::from(scenario.weight)))
        .collect();
    if names.is_empty() {
        // What weighs nothing runs only when it is asked for.
        return Ok(all.into_iter().filter(|(_, weight)| *weight > 0).collect());
    }
    let find = |name: &String| {
        all.iter().find(|(known, _)| known == name).cloned().ok_or_else(|| {
            let known: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
            RunnerError::UnknownScenario { name: name.clone(), known: known.join(", ") }
        })
    };
    names.iter().map(find).collect()
}

fn pick(scenarios: &[(String, u64)], seed: u64) -> String {
    let total: u64 = scenarios.iter().map(|(_, weight)| weight.max(&1)).sum();
    // A golden-ratio walk: neighbours differ, and every weight gets its share soon.
    let mut place =
        ((u128::from(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)) * u128::from(total)) >> 64) as u64;
    for (name, weight) in scenarios {
        let weight = *weight.max(&1);
        if place < weight {
            return name.clone();
        }
        place -= weight;
    }
    unreachable!("the place lies below the sum of the weights")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_shares() {
        let scenarios = [("calm".to_owned(), 1), ("kill".to_owned(), 3)];
        let calm = (0..4000).filter(|seed| pick(&scenarios, *seed) == "calm").count();
        assert!((900..1100).contains(&calm), "{calm} of 4000");
    }
}
