//! One seed: its world, its plan, its phases, its verdict.

mod class;
mod culprit;
mod deletion;
mod director;
mod disturb;
mod observer;
mod phases;
mod rot;
mod servers;
mod strike;
mod tell;
mod verdict;

use workloads::scenario::{self, Scenario};

use crate::cli::OneOptions;
use crate::entry;
use crate::error::RunnerError;
use crate::meter;
use crate::outcome::SeedOutcome;
use crate::sink::Sink;

/// All scenarios.
pub(crate) fn scenarios() -> Vec<Scenario> {
    scenario::all()
}

/// The ids of all invariants.
pub(crate) fn invariant_ids() -> Vec<&'static str> {
    invariants::all().iter().map(|invariant| invariant.claim().id).collect()
}

/// Runs one seed in this process and prints its outcome as one line of JSON.
///
/// # Errors
/// When the scenario is unknown or the trace cannot be written.
pub(crate) fn one(options: &OneOptions) -> Result<bool, RunnerError> {
    let plan = entry::plan_of(&options.which.job())?;
    let (scenario, seed) = (plan.scenario.clone(), plan.seed);
    let from = options.trace_from;
    let sink = options.trace.as_deref().map(|path| Sink::open(path, from)).transpose()?;
    let listener = sink.clone();
    // A fresh thread: madsim seeds the hash maps of a thread when they are first used there.
    let run = std::thread::spawn(move || {
        let world = sim::World::new(plan.seed);
        if let Some(listener) = &listener {
            listener.watch(&world);
        }
        let outcome = phases::run(&world, &plan);
        // The end of the world is no event of the run.
        world.trace().unwatch();
        SeedOutcome { cpu_ns: meter::cpu_ns_of_this_thread(), ..outcome }
    });
    let (outcome, panic) = match run.join() {
        Ok(outcome) => (outcome, None),
        Err(panic) => {
            let details = "the run panicked; the trace ends there".to_owned();
            (SeedOutcome::crashed(&scenario, seed, details), Some(panic))
        }
    };
    let (file, peak_kib) = (options.which.file.clone(), meter::peak_kib());
    let outcome = SeedOutcome { file, peak_kib, ..outcome };
    if let Some(sink) = sink {
        sink.close(&outcome)?;
    }
    if let Some(panic) = panic {
        // It was printed by its thread, with the seed; the parent shows it.
        std::panic::resume_unwind(panic);
    }
    let line = serde_json::to_string(&outcome).expect("an outcome is plain data");
    println!("{line}");
    Ok(outcome.passed())
}

#[cfg(test)]
mod tests {
    use super::phases;
    use crate::job;
    use crate::recording::Recording;

    /// X2: who watches changes nothing.
    #[test]
    fn a_run_that_is_recorded_has_the_hash_of_one_that_is_not() {
        let run = |recording: Option<Recording>| {
            let run = std::thread::spawn(move || {
                let plan = job::draw("kill", 3).expect("the scenario is there");
                let world = sim::World::new(plan.seed);
                recording.iter().for_each(|recording| recording.watch(&world));
                let outcome = phases::run(&world, &plan);
                world.trace().unwatch();
                (outcome.hash.clone(), recording.map(|recording| recording.page(&outcome)))
            });
            run.join().expect("the run ends")
        };
        let ((quiet, _), (watched, page)) = (run(None), run(Some(Recording::default())));
        assert_eq!(quiet, watched);
        let page = page.expect("it was recorded");
        for words in ["SEND_MESSAGE_V2 (310)", "sent-ok", "\"look\":\"dead\"", "[\"hash\","] {
            assert!(page.contains(words), "nothing of {words}");
        }
    }
}
