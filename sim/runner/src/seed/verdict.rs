//! What came of a run, with everything a person needs to see it.

use std::collections::BTreeSet;

use invariants::violation::Violation;
use sim::World;
use sim_capsule::{Flush, Plan};

use super::culprit;
use super::director::Director;
use crate::outcome::{Broken, SeedOutcome};

/// Events of a culprit's life that are kept.
const EVENTS_MAX: usize = 40;

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
        checks,
        faults: director.observer.faults().clone(),
        goals: goals.map(|(name, count)| (name.to_owned(), count.held)).collect(),
        broken,
        world: picture(plan, director),
        culprit,
    }
}

/// A run that does not come on.
pub(crate) fn stall(what: &str, director: &Director) -> Broken {
    let busy = director.busy().join(", ");
    let control = &director.control;
    let lives: Vec<String> = director
        .servers()
        .map(|server| format!("{} {:?}", server.node, control.life(&server.node)))
        .collect();
    Broken {
        id: "LIVE".to_owned(),
        sentence: "After the heal everything drains within its bound.".to_owned(),
        details: format!("{what}\nservers: {}\nclients at work: {busy}", lives.join(", ")),
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
