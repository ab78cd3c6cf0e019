//! The binary as an operator meets it: processes, arguments, output and exit codes.

#![expect(clippy::disallowed_methods, reason = "the tests stand where the operator does")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};

/// The binary under test.
fn hotfire() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotfire"));
    command.env_remove("NAMESRV_ADDR");
    command
}

fn run(arguments: &[&str], input: &str) -> Output {
    let mut child = hotfire()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn error_of(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn text_of(output: &Output) -> String {
    assert!(output.status.success(), "{}", error_of(output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A standalone server on free ports, killed when dropped.
struct Standalone {
    child: Child,
    namesrv: String,
}

impl Standalone {
    fn start(data: &Path, more: &[&str]) -> Self {
        let mut child = hotfire()
            .args(["standalone", "--namesrv", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(["--set", "mappedFileSizeCommitLog=4194304"])
            .args(more)
            .stdout(Stdio::piped())
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
        let after = |label: &str| {
            let (_, rest) = said.split_once(label).unwrap_or_else(|| panic!("no {label}: {said}"));
            rest.split_whitespace().next().unwrap().to_owned()
        };
        Self { child, namesrv: after("name server") }
    }

    fn produce(&self, topic: &str, input: &str) {
        let output = run(&["produce", "-n", &self.namesrv, "--topic", topic], input);
        text_of(&output);
    }

    /// What `--max` messages from the first on are, sorted.
    fn consume(&self, topic: &str, max: u64) -> Vec<String> {
        let max = max.to_string();
        let arguments =
            ["consume", "-n", &self.namesrv, "--topic", topic, "--from", "first", "--max", &max];
        let mut lines: Vec<String> =
            text_of(&run(&arguments, "")).lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Standalone {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn lines_that_are_produced_are_consumed_also_after_a_clean_restart() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Standalone::start(data.path(), &[]);
    server.produce("demo", "one\ntwo\n\nthree\n");
    assert_eq!(server.consume("demo", 3), ["one", "three", "two"]);
    server.signal("-TERM");
    assert_eq!(server.wait().code(), Some(0), "SIGTERM is no failure");
    let server = Standalone::start(data.path(), &[]);
    assert_eq!(server.consume("demo", 3), ["one", "three", "two"]);
}

#[test]
fn what_was_produced_under_sync_flush_survives_a_kill() {
    let data = tempfile::tempdir().unwrap();
    let sync = ["--set", "flushDiskType=SYNC_FLUSH"];
    let mut server = Standalone::start(data.path(), &sync);
    let lines: Vec<String> = (1000..1200).map(|number| format!("line {number}")).collect();
    server.produce("demo", &lines.join("\n"));
    server.signal("-KILL");
    assert!(!server.wait().success());
    let server = Standalone::start(data.path(), &sync);
    assert_eq!(server.consume("demo", 200), lines);
}

#[test]
fn a_group_goes_on_where_it_stopped() {
    let data = tempfile::tempdir().unwrap();
    let server = Standalone::start(data.path(), &[]);
    server.produce("demo", "a\nb\nc\nd\n");
    let consume = |max: &str| {
        let mut arguments = vec!["consume", "-n", &server.namesrv, "--topic", "demo"];
        arguments.extend(["--group", "readers", "--from", "first", "--max", max]);
        text_of(&run(&arguments, "")).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let mut seen = consume("3");
    assert_eq!(seen.len(), 3);
    seen.extend(consume("1"));
    seen.sort();
    assert_eq!(seen, ["a", "b", "c", "d"]);
}

#[test]
fn keys_and_tags_are_carried_and_tags_are_selected() {
    let data = tempfile::tempdir().unwrap();
    let server = Standalone::start(data.path(), &[]);
    for tag in ["red", "green"] {
        let arguments = ["produce", "-n", &server.namesrv, "-t", "demo", "--tag", tag];
        text_of(&run(&[&arguments[..], &["--key", "k1", "--key", "k2"]].concat(), tag));
    }
    let mut arguments = vec!["consume", "-n", &server.namesrv, "--topic", "demo", "--json"];
    arguments.extend(["--from", "first", "--tag", "green||blue", "--max", "1"]);
    let said: serde_json::Value = serde_json::from_str(&text_of(&run(&arguments, ""))).unwrap();
    assert_eq!(said["body"], "green");
    assert_eq!(said["tag"], "green");
    assert_eq!(said["keys"], "k1 k2");
}

#[test]
fn messages_are_found_by_key_and_by_id() {
    let dir = tempfile::tempdir().unwrap();
    let server = Standalone::start(dir.path(), &[]);
    let on = ["-n", server.namesrv.as_str(), "--topic", "Orders"];
    let produce = [&["produce", "--key", "o-17", "--key", "north", "--tag", "Paid"], &on[..]];
    text_of(&run(&produce.concat(), "seventeen\n"));
    text_of(&run(&[&["produce", "--key", "o-18"], &on[..]].concat(), "eighteen\n"));
    let by = |more: &[&str]| run(&[&["query"], &on[..], more].concat(), "");
    // What is acknowledged is indexed a moment later.
    let mut tries = (0..100).map(|_| by(&["--key", "o-17", "--json"]));
    let found = text_of(&tries.find(|output| output.status.success()).expect("it is indexed"));
    let found: serde_json::Value = serde_json::from_str(found.trim()).unwrap();
    assert_eq!((&found["body"], &found["tag"]), (&"seventeen".into(), &"Paid".into()));
    let table = text_of(&by(&["--id", found["messageId"].as_str().unwrap()]));
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with("STORED"), "{table}");
    assert!(lines[1].contains("o-17 north") && lines[1].ends_with("seventeen"), "{table}");
    let place = found["offsetMessageId"].as_str().unwrap();
    assert_eq!(text_of(&by(&["--id", place])), table);
    let none = by(&["--key", "o-19"]);
    assert_eq!(none.status.code(), Some(1));
    assert!(error_of(&none).contains("no message of Orders matches"), "{}", error_of(&none));
}

#[test]
fn a_second_server_on_the_same_store_says_who_holds_it() {
    let data = tempfile::tempdir().unwrap();
    let first = Standalone::start(data.path(), &[]);
    let path = data.path().to_str().unwrap();
    let second = ["standalone", "--data", path, "--namesrv", "127.0.0.1:0"];
    let output = run(&[&second[..], &["--listen", "127.0.0.1:0"]].concat(), "");
    assert_eq!(output.status.code(), Some(1));
    let pid = format!("process {}", first.child.id());
    assert!(error_of(&output).contains(&pid), "{}", error_of(&output));
}

#[test]
fn a_measurement_writes_its_figures() {
    let data = tempfile::tempdir().unwrap();
    let server = Standalone::start(data.path(), &[]);
    let bench = |verb: &str, more: &[&str]| {
        let arguments = ["bench", verb, "-n", &server.namesrv, "--json", "--connections", "2"];
        let text = text_of(&run(&[&arguments[..], more].concat(), ""));
        serde_json::from_str::<serde_json::Value>(&text).unwrap()
    };
    let count = ["--count", "500"];
    assert_eq!(bench("produce", &[&count[..], &["--size", "100"]].concat())["messages"], 500);
    assert_eq!(bench("produce", &[&count[..], &["--batch", "10"]].concat())["messages"], 500);
    assert_eq!(bench("produce", &[&count[..], &["--rate", "5000"]].concat())["messages"], 500);
    // And the one message that each run begins with.
    let read = bench("consume", &[]);
    assert_eq!(read["messages"], 1503);
    assert!(read["latencyMicros"]["p50"].as_u64().unwrap() > 0);
}

#[test]
fn a_configuration_that_is_refused_says_why_and_starts_nothing() {
    let data = tempfile::tempdir().unwrap();
    let conf = data.path().join("broker.conf");
    std::fs::write(&conf, "brokerName=a\nflushDiskTyp=SYNC_FLUSH\nlistenPort=x\n").unwrap();
    let store = data.path().join("store");
    let arguments = ["standalone", "-c", conf.to_str().unwrap(), "--data"];
    let output = run(&[&arguments[..], &[store.to_str().unwrap()]].concat(), "");
    assert_eq!(output.status.code(), Some(2));
    let error = error_of(&output);
    assert!(error.contains("broker.conf:2: unknown key flushDiskTyp; did you mean flushDiskType?"));
    assert!(error.contains("broker.conf:3: listenPort=x: expected a whole number from 0 to 65535"));
    assert!(!store.exists());
}

#[test]
fn a_cluster_that_is_not_there_is_a_failure_with_a_remedy() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let output = run(&["produce", "-n", &address, "--topic", "demo"], "hello\n");
    assert_eq!(output.status.code(), Some(1));
    let error = error_of(&output);
    assert!(error.contains(&address) && error.contains("try:"), "{error}");
}

#[test]
fn a_broker_without_a_name_server_is_told_how_to_get_one() {
    let output = run(&["broker"], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(error_of(&output).contains("hotfire standalone"), "{}", error_of(&output));
}

#[test]
fn the_keys_are_listed_with_their_defaults() {
    let text = text_of(&run(&["config"], ""));
    let line = text.lines().find(|line| line.starts_with("flushDiskType ")).unwrap();
    assert!(line.contains("ASYNC_FLUSH") && line.ends_with("acts"), "{line}");
}
