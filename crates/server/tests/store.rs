//! `hotfire store` as an operator meets it, on a store that a broker has written.

#![expect(clippy::disallowed_methods, reason = "the tests stand where the operator does")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

fn hotfire(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotfire"));
    command.env_remove("NAMESRV_ADDR").args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(arguments: &[&str], input: &str) -> Output {
    let mut child = hotfire(arguments).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs `hotfire store` with its JSON result and exit code.
fn check(dir: &Path) -> (Value, Option<i32>) {
    let output = run(&["store", "check", dir.to_str().unwrap(), "--json"], "");
    let value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    (value, output.status.code())
}

/// A broker on free ports, killed when dropped.
struct Broker(Child, String);

impl Broker {
    fn start(data: &Path) -> Self {
        let mut child = hotfire(&["standalone", "--namesrv", "127.0.0.1:0"])
            .args(["--listen", "127.0.0.1:0", "--set", "mappedFileSizeCommitLog=1048576"])
            .arg("--data")
            .arg(data)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = String::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            said.push_str(&(line.unwrap() + "\n"));
            if said.contains("Next, ") {
                break;
            }
        }
        let (_, rest) = said.split_once("name server").unwrap();
        let namesrv = rest.split_whitespace().next().unwrap().to_owned();
        Self(child, namesrv)
    }

    fn stop(mut self) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A store with so many messages in topic `demo`; the broker that wrote it still runs.
fn written(data: &Path, count: u32) -> Broker {
    let broker = Broker::start(data);
    let lines: String = (0..count).map(|number| format!("line {number}\n")).collect();
    let arguments = ["produce", "-n", &broker.1, "--topic", "demo", "--tag", "a", "--key", "k"];
    let output = run(&arguments, &lines);
    assert!(output.status.success(), "{}", err(&output));
    broker
}

/// The one file of a directory and of those below it that is there first.
fn first_file(dir: &Path) -> std::path::PathBuf {
    let mut names: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap()).collect();
    names.sort_by_key(|entry| entry.file_name());
    let path = names[0].path();
    if path.is_dir() { first_file(&path) } else { path }
}

fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 0x10;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_sound_store_is_told_to_be_sound_and_one_in_use_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let broker = written(data.path(), 50);
    let dir = data.path().to_str().unwrap();
    let output = run(&["store", "check", dir], "");
    assert_eq!(output.status.code(), Some(2), "{}", err(&output));
    let pid = format!("process {}", broker.0.id());
    assert!(err(&output).contains(&pid) && err(&output).contains("--live"), "{}", err(&output));
    let live = run(&["store", "check", dir, "--live"], "");
    assert_eq!(live.status.code(), Some(0), "{}{}", out(&live), err(&live));
    broker.stop();

    let output = run(&["store", "check", dir], "");
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    let text = out(&output);
    assert!(text.contains("sound: 0 errors") && text.contains("ConsumeQueues"), "{text}");
    let (report, _) = check(data.path());
    assert_eq!((&report["sound"], &report["records"]), (&Value::Bool(true), &Value::from(50)));
}

#[test]
fn what_cannot_be_checked_is_another_exit_code() {
    let data = tempfile::tempdir().unwrap();
    let missing = data.path().join("nowhere");
    for dir in [data.path(), &missing] {
        let output = run(&["store", "check", dir.to_str().unwrap()], "");
        assert_eq!(output.status.code(), Some(2), "{}", err(&output));
        assert!(err(&output).contains("storePathRootDir"), "{}", err(&output));
    }
    assert!(!missing.exists(), "a check makes nothing");
}

#[test]
fn damage_is_named_repaired_where_that_is_safe_and_found_no_more() {
    let data = tempfile::tempdir().unwrap();
    written(data.path(), 50).stop();
    let dir = data.path().to_str().unwrap();
    flip(&first_file(&data.path().join("consumequeue/demo")), 7);
    let output = run(&["store", "check", dir], "");
    assert_eq!(output.status.code(), Some(1));
    let text = out(&output);
    assert!(text.contains("[queue-entry]") && text.contains("hotfire store repair"), "{text}");
    assert_eq!(err(&output), "", "everything was said before");

    let asked = run(&["store", "repair", dir], "y\n");
    assert_eq!(asked.status.code(), Some(1), "it asks at a terminal only");
    assert!(err(&asked).contains("--yes") && out(&asked).contains("remove"), "{}", err(&asked));
    let output = run(&["store", "repair", dir, "--yes"], "");
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let again = run(&["store", "repair", dir, "--yes"], "");
    assert_eq!(again.status.code(), Some(0), "{}{}", out(&again), err(&again));

    Broker::start(data.path()).stop();
    let (report, code) = check(data.path());
    assert_eq!((code, &report["records"]), (Some(0), &Value::from(50)), "{report}");
    assert_eq!(report["queueEntries"], report["records"]);
}

#[test]
fn a_flipped_byte_of_a_body_is_an_error_that_no_repair_touches() {
    let data = tempfile::tempdir().unwrap();
    written(data.path(), 50).stop();
    let segment = first_file(&data.path().join("commitlog"));
    flip(&segment, 89);
    let before = std::fs::read(&segment).unwrap();
    let (report, code) = check(data.path());
    assert_eq!(code, Some(1));
    assert_eq!(report["findings"][0]["kind"], "log-crc", "{report}");
    assert_eq!(report["findings"][0]["count"], 1);
    let output = run(&["store", "repair", data.path().to_str().unwrap(), "--yes"], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(std::fs::read(&segment).unwrap() == before, "the CommitLog is not touched");
}

#[test]
fn messages_are_dumped_as_columns_or_as_json_lines() {
    let data = tempfile::tempdir().unwrap();
    written(data.path(), 50).stop();
    let dir = data.path().to_str().unwrap();
    let output = run(&["store", "dump", dir, "--count", "3"], "");
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let text = out(&output);
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(text.lines().nth(1).unwrap().ends_with("line 0"), "{text}");

    let output = run(&["store", "dump", dir, "--json", "--topic", "demo"], "");
    let lines: Vec<Value> =
        out(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 50);
    assert_eq!(lines[7]["body"], "line 7");
    assert_eq!(lines[7]["properties"]["TAGS"], "a");
    let queue = lines[7]["queue"].to_string();
    let place = lines[7]["queueOffset"].to_string();
    let arguments = ["store", "dump", dir, "--json", "--topic", "demo", "--queue", &queue];
    let output = run(&[&arguments[..], &["--from", &place, "--count", "1"]].concat(), "");
    assert_eq!(serde_json::from_str::<Value>(&out(&output)).unwrap(), lines[7]);

    let astray = (lines[7]["offset"].as_u64().unwrap() + 1).to_string();
    let output = run(&["store", "dump", dir, "--offset", &astray], "");
    assert_eq!(output.status.code(), Some(2));
    let next = lines[8]["offset"].to_string();
    assert!(err(&output).contains(&next), "{}", err(&output));
}

#[test]
fn a_dump_whose_reader_leaves_ends_quietly() {
    let data = tempfile::tempdir().unwrap();
    written(data.path(), 2_000).stop();
    let mut child = hotfire(&["store", "dump", data.path().to_str().unwrap()]).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), err(&output).as_str()), (Some(0), ""));
}
