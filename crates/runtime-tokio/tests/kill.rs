//! A process that is killed keeps what it wrote: the page cache is the kernel's.
//!
//! The child appends numbered records, syncs every tenth, and tells each on its standard output.
//! The parent kills it in the middle, with a signal that cannot be caught, and reads the file. The
//! simulated twin's *kill* (as opposed to its *power loss*) is modelled on what this shows.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use runtime_tokio::TokioRuntime;

/// Where the child works; its absence says that we are not the child.
const ROOT: &str = "HOTFIRE_KILL_TEST_ROOT";
const SEGMENT_LEN: u64 = 16 << 20;
const RECORD_LEN: u64 = 1000;

/// The bytes of a record, different for each number.
fn record(number: u64) -> Vec<u8> {
    (0..RECORD_LEN).map(|at| (number.wrapping_mul(31).wrapping_add(at) % 251) as u8 + 1).collect()
}

#[tokio::test]
async fn the_child_appends_until_it_is_killed() {
    let Ok(root) = std::env::var(ROOT) else { return };
    let disk = TokioRuntime::open(Path::new(&root)).unwrap().disk;
    let _lock = disk.lock("lock").await.unwrap();
    disk.create_dir("log").await.unwrap();
    let segment = disk.create_segment("log/0", SEGMENT_LEN).await.unwrap();
    disk.sync_dir("log").await.unwrap();
    let mut out = std::io::stdout();
    for number in 0..SEGMENT_LEN / RECORD_LEN {
        let (begin, bytes) = (number * RECORD_LEN, record(number));
        segment.write_at(begin, &[&bytes[..1], &bytes[1..]]).unwrap();
        if number % 10 == 9 {
            segment.sync(begin + RECORD_LEN - 10 * RECORD_LEN..begin + RECORD_LEN).await.unwrap();
        }
        writeln!(out, "appended {number}").unwrap();
        out.flush().unwrap();
    }
}

/// Runs the child, kills it once it has told of `kill_after`, and returns the last it told.
fn run_and_kill(root: &Path, kill_after: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_child_appends_until_it_is_killed", "--nocapture"])
        .env(ROOT, root)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut last = None;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let Some((_, number)) = line.split_once("appended ") else { continue };
        // The kill may cut the last line.
        let Ok(number) = number.parse::<u64>() else { break };
        last = Some(number);
        if number == kill_after {
            child.kill().unwrap();
        }
    }
    assert!(!child.wait().unwrap().success(), "the child ended before it was killed");
    last.expect("the child told of nothing")
}

#[tokio::test]
async fn everything_told_before_a_sigkill_is_there() {
    for kill_after in [0, 9, 1234] {
        let root = tempfile::tempdir().unwrap();
        let last = run_and_kill(root.path(), kill_after);
        assert!(last >= kill_after);
        let disk = TokioRuntime::open(root.path()).unwrap().disk;
        // The dead hold no locks.
        let _lock = disk.lock("lock").await.unwrap();
        let segment = disk.open_segment("log/0").await.unwrap();
        for number in 0..=last {
            let stored = segment.slice(number * RECORD_LEN, RECORD_LEN).unwrap();
            assert!(stored == record(number), "record {number} of {last} is not there");
        }
    }
}

#[tokio::test]
async fn a_lock_held_by_another_process_names_it() {
    let root = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_child_appends_until_it_is_killed", "--nocapture"])
        .env(ROOT, root.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Nobody reads on, so the child soon waits at a full pipe, holding its lock.
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("appended") {
        line.clear();
        assert!(out.read_line(&mut line).unwrap() > 0, "the child ended");
    }
    let disk = TokioRuntime::open(root.path()).unwrap().disk;
    let refused = disk.lock("lock").await.map(|_| ()).unwrap_err();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(refused.to_string().contains(&format!("process {}", child.id())), "{refused}");
}
