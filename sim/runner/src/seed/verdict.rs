//! What came of a run, with everything a person needs to see it.

use std::collections::BTreeSet;

use invariants::disk::LogScan;
use invariants::violation::Violation;
use sim::World;
use sim_capsule::{Flush, Plan};

use super::culprit;
use super::director::Director;
use super::servers::Role;
use crate::outcome::{Broken, SeedOutcome};

/// Events of a culprit's life that are kept.
const EVENTS_MAX: usize = 40;
/// A goal that is reached in every run and never holds.
const NEVER: &str = "runner: a goal that cannot hold";

/// The outcome of a run that came to its end.
pub(crate) fn outcome(
    world: &World,
    plan: &Plan,
    director: &Director,
    stalls: Vec<Broken>,
) -> SeedOutcome {
    let watch = director.observer.watch();
    let failed = director.observer.failed();
    let mut violations = watch.violations();
    // What was seen first leads: the others may only follow from it.
    violations.sort_by_key(|violation| failed.is_none_or(|(_, first)| violation.id != first));
    let has_failed = !violations.is_empty() || !stalls.is_empty();
    let culprit = has_failed.then(|| culprit::of(director, violations.first()));
    let mut broken: Vec<Broken> =
        violations.iter().map(|violation| broken_by(director, violation)).collect();
    broken.extend(stalls);
    broken.extend(counted_for_nothing(world));
    let checks = watch.found().map(|found| (found.claim().id.to_owned(), found.checks())).collect();
    let goals = world.probes().goals().into_iter();
    let class = |sent: &invariants::history::Sent| sent.class() == invariants::outcome::Class::Ok;
    let processed = |event: &&invariants::history::Event| {
        matches!(event.what, invariants::history::What::Processed { .. })
    };
    SeedOutcome {
        scenario: plan.scenario.clone(),
        seed: world.seed(),
        file: None,
        events: world.trace().events(),
        failed_at_ms: failed.map(|(at, _)| at.as_millis() as u64),
        hash: format!("{:032x}", world.trace().hash()),
        simulated_ms: world.elapsed().as_millis() as u64,
        acknowledged: watch.history().all_sent().filter(|sent| class(sent)).count() as u64,
        processed: watch.history().events().iter().filter(processed).count() as u64,
        productive: director.observer.was_productive(),
        marks: world.trace().marks(),
        checks,
        faults: director.observer.faults().clone(),
        goals: goals.map(|(name, count)| (name.to_owned(), count.held)).collect(),
        broken,
        world: picture(plan, director),
        culprit,
        ..SeedOutcome::default()
    }
}

/// X5: the goal that phases.rs makes up never holds; who counts it counts anything.
fn counted_for_nothing(world: &World) -> Option<Broken> {
    let goals = world.probes().goals();
    let (name, count) = goals.iter().find(|(name, _)| **name == NEVER)?;
    (count.held > 0).then(|| Broken {
        id: "X5".to_owned(),
        sentence: "A goal counts when it holds, and only then.".to_owned(),
        details: format!("`{name}` was counted {} times", count.held),
        events: Vec::new(),
    })
}

/// A run that does not come on: what it waits for, who is at work, and for every node what its
/// tasks, its disk and its connections wait for.
pub(crate) fn stall(what: &str, director: &Director) -> Broken {
    let control = &director.control;
    let mut details = format!("{what}\nclients at work: {}", director.busy().join(", "));
    for line in sim::waits(control) {
        details.push_str(&format!("\n{line}"));
    }
    for server in director.servers().filter(|server| matches!(server.role, Role::Broker(_))) {
        let images = control.disk_image(&server.node);
        let (shown, held) = (LogScan::of(&images.cache), LogScan::of(&images.durable));
        let (shown, held) = (shown.end, held.end);
        details.push_str(&format!(
            "\n{}: its log ends at {shown}, on its device at {held}",
            server.node
        ));
    }
    Broken {
        id: "LIVE".to_owned(),
        sentence: "After the heal everything drains within its bound.".to_owned(),
        details,
        events: Vec::new(),
    }
}

fn broken_by(director: &Director, violation: &Violation) -> Broken {
    let epoch_ms = culprit::epoch_ms(director);
    let events = director.observer.watch().history().events();
    let shown = violation.events.iter().take(EVENTS_MAX).filter_map(|at| events.get(*at));
    Broken {
        id: violation.id.to_owned(),
        sentence: violation.sentence.to_owned(),
        details: match &violation.node {
            Some(node) => format!("on {node}: {}", violation.details),
            None => violation.details.clone(),
        },
        events: shown.map(|event| culprit::line(event, epoch_ms)).collect(),
    }
}

fn picture(plan: &Plan, director: &Director) -> Vec<String> {
    let flushes: BTreeSet<&str> = plan
        .brokers
        .iter()
        .map(|broker| match broker.flush {
            Flush::Sync => "Sync",
            Flush::Async => "Async",
        })
        .collect();
    let mut lines = vec![
        format!("{}: {}", plan.scenario, plan.title),
        format!(
            "{} name servers, {} brokers, {} flush; {}",
            plan.namesrvs.len(),
            plan.brokers.len(),
            flushes.into_iter().collect::<Vec<_>>().join(" and "),
            plan.nodes().join(" ")
        ),
    ];
    lines.extend(director.log.iter().cloned());
    lines
}
