//! One process per seed: nothing leaks from one run into the next.

use std::ffi::OsStr;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::job::Job;
use crate::meter;
use crate::outcome::SeedOutcome;

/// How long a run may take on the wall clock before it is given up as hung. Only a watchdog: no
/// verdict depends on how fast the machine is, short of a run that never ends.
const HUNG_AFTER: Duration = Duration::from_secs(240);

/// Runs one seed in a process of its own, with these variables in its environment.
pub(crate) fn run(
    program: &Path,
    job: &Job,
    trace: Option<&Path>,
    environment: &[(&str, &str)],
) -> SeedOutcome {
    let trace: Vec<&OsStr> =
        trace.map(|path| vec![OsStr::new("--trace"), path.as_os_str()]).unwrap_or_default();
    run_with(program, job, &trace, environment)
}

/// As [`run`], with further arguments.
pub(crate) fn run_with(
    program: &Path,
    job: &Job,
    arguments: &[&OsStr],
    environment: &[(&str, &str)],
) -> SeedOutcome {
    let mut command = Command::new(program);
    command.arg("one").args(job.arguments()).args(arguments);
    command.envs(environment.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    match command.spawn() {
        Ok(child) => finish(child, job),
        Err(error) => crashed(job, format!("{} cannot be started: {error}", program.display())),
    }
}

/// The outcome of a run that did not come to an end by itself.
fn crashed(job: &Job, details: String) -> SeedOutcome {
    match job {
        Job::Seed { scenario, seed } => SeedOutcome::crashed(scenario, *seed, details),
        Job::Capsule(path) => {
            let name = path.display().to_string();
            SeedOutcome { file: Some(path.clone()), ..SeedOutcome::crashed(&name, 0, details) }
        }
    }
}

fn finish(mut child: Child, job: &Job) -> SeedOutcome {
    // The pipes are drained by threads, so that a talkative child never waits for us. They hang up
    // when the child ends: to look again and again would cost a tenth of the seeds per second.
    let (ends, ended) = mpsc::channel();
    let (out, err) = (drain(child.stdout.take(), &ends), drain(child.stderr.take(), &ends));
    drop(ends);
    // Nobody sends anything: both pipes are closed, or the time is up.
    let hung = ended.recv_timeout(HUNG_AFTER) == Err(mpsc::RecvTimeoutError::Timeout);
    if hung {
        // A child that ended in the meantime cannot be killed, and need not be.
        let _ = child.kill();
    }
    // Until somebody waits for it, the kernel still knows what its first thread used.
    let cpu_ns = meter::cpu_ns_of(child.id());
    let status = match child.wait() {
        _ if hung => format!("hung: no end after {} s", HUNG_AFTER.as_secs()),
        Ok(status) => status.to_string(),
        Err(error) => format!("cannot be waited for: {error}"),
    };
    let out = out.join().unwrap_or_default();
    let err = err.join().unwrap_or_default();
    let line = out.lines().rev().find(|line| line.starts_with('{'));
    match line.map(serde_json::from_str::<SeedOutcome>) {
        Some(Ok(outcome)) => {
            let cpu_ns = outcome.cpu_ns.zip(cpu_ns).map(|(world, first)| world + first);
            SeedOutcome { cpu_ns, ..outcome }
        }
        _ => {
            let last: Vec<&str> = err.lines().rev().take(30).collect();
            let words = last.into_iter().rev().collect::<Vec<_>>().join("\n");
            crashed(job, format!("{status}\n{words}"))
        }
    }
}

fn drain(
    pipe: Option<impl Read + Send + 'static>,
    ends: &mpsc::Sender<()>,
) -> std::thread::JoinHandle<String> {
    let ends = ends.clone();
    std::thread::spawn(move || {
        let _hangs_up = ends;
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before an error is still worth showing.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
