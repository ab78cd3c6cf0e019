//! What came of a run, with everything a person needs to see it.

use std::collections::BTreeSet;

use sim::World;
use sim_capsule::{Flush, Plan};

use super::director::Director;
use crate::outcome::{Broken, SeedOutcome};

/// Events of a culprit's life that are kept.
const EVENTS_MAX: usize = 40;
/// Columns of an event line that are kept.
const EVENT_COLUMNS_MAX: usize = 400;

/// The outcome of a run that came to its end.
pub(crate) fn outcome(
    world: &World,
    plan: &Plan,
    director: &Director,
    stalls: Vec<Broken>,
) -> SeedOutcome {
    let watch = director.observer.watch();
    let mut broken: Vec<Broken> = watch
        .violations()
        .iter()
        .map(|violation| Broken {
            id: violation.id.to_owned(),
            sentence: violation.sentence.to_owned(),
            details: match &violation.node {
                Some(node) => format!("on {node}: {}", violation.details),
                None => violation.details.clone(),
            },
            events: violation
                .events
                .iter()
                .take(EVENTS_MAX)
                .map(|at| told(director, *at))
                .collect(),
        })
        .collect();
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
        failed_at_ms: director.observer.failed_at().map(|at| at.as_millis() as u64),
        hash: format!("{:032x}", world.trace().hash()),
        simulated_ms: world.elapsed().as_millis() as u64,
        acknowledged: watch.history().all_sent().filter(|sent| class(sent)).count() as u64,
        processed: watch.history().events().iter().filter(processed).count() as u64,
        checks,
        faults: director.observer.faults().clone(),
        goals: goals.map(|(name, count)| (name.to_owned(), count.held)).collect(),
        broken,
        world: picture(plan, director),
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

fn told(director: &Director, at: usize) -> String {
    let Some(event) = director.observer.watch().history().events().get(at) else {
        return format!("#{at}");
    };
    let epoch = director.control.now_true_ms() - director.control.elapsed().as_millis() as u64;
    let seconds = event.at_ms.saturating_sub(epoch) as f64 / 1_000.0;
    let line = format!("#{at} {seconds:.3} s {:?}", event.what);
    line.chars().take(EVENT_COLUMNS_MAX).collect()
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
