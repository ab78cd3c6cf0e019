//! What many queues cost: `cargo run --release -p store --example queues [MESSAGES] [TOPICS]`.
//!
//! The same messages go into 5 queues and into `TOPICS` × 5 (100,000). For each: an append, a
//! dispatched entry, memory and open files, the shutdown, the start after it, and the start after
//! a kill: this program starts itself as the one that is killed.

#![expect(clippy::disallowed_methods, reason = "what this process takes stands in /proc")]

use std::error::Error;
use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use message::{PhysicalOffset, SysFlag};
use runtime::Clock;
use runtime_tokio::TokioRuntime;
use store::{Append, AppendError, QueueHandle, Store, StoreConfig, StoreHandles};

type Failure = Box<dyn Error>;

/// Messages per hold of the lock, as a busy connection has them.
const BATCH: u64 = 32;
/// Messages between two looks at the clock.
const ROUND: u64 = 10_000;
const QUEUES_PER_TOPIC: u64 = 5;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [verb, root, topics] = arguments.as_slice()
        && verb == "victim"
    {
        return be_killed(Path::new(root), topics.parse()?).await;
    }
    let number = |at: usize| arguments.get(at).map(|argument| argument.parse::<u64>()).transpose();
    let messages = number(0)?.unwrap_or(1_000_000);
    let topics = number(1)?.unwrap_or(20_000);
    let few = measure(1, messages).await?;
    let many = measure(topics, messages).await?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{:<34} {:>14} {:>14}", "", few.queues, many.queues)?;
    for (few, many) in few.rows.iter().zip(&many.rows) {
        writeln!(out, "{:<34} {:>14} {:>14}", few.0, few.1, many.1)?;
    }
    Ok(())
}

/// The figures of one number of queues.
struct Figures {
    queues: String,
    rows: Vec<(&'static str, String)>,
}

async fn measure(topics: u64, messages: u64) -> Result<Figures, Failure> {
    let root = tempfile::tempdir()?;
    let mut rows = Vec::new();
    let doors = TokioRuntime::open(root.path())?;
    let clock = doors.clock.clone();
    let since = |begun| clock.monotonic().since(begun);
    let each = |took: Duration| format!("{} ns", took.as_nanos() / u128::from(messages.max(1)));

    let store = open(root.path()).await?;
    let queues = handles(&store, topics);
    let begun = clock.monotonic();
    fill(&store, &queues, 0..queues.len() as u64).await?;
    rows.push(("first message of every queue", format!("{:.1?}", since(begun))));
    store.dispatched().wait(store.appended().reached()).await?;
    rows.push(("… and its file", format!("{:.1?}", since(begun))));
    let appends = rounds(&store, &queues, messages).await?;
    rows.push(("append, its CPU: to 5 queues", each(appends.few)));
    rows.push(("… to all in turn", each(appends.all)));
    rows.push(("… to 5 beside their dispatch", each(appends.few_beside)));
    let begun = clock.monotonic();
    fill(&store, &queues, 0..messages).await?;
    store.dispatched().wait(store.appended().reached()).await?;
    rows.push(("append and dispatch", each(since(begun))));
    rows.push(("find a queue by its name", each(find(&store, topics, messages, &clock)?)));
    rows.push(("queue files open", store.queue_files_open().to_string()));
    rows.push(("descriptors", std::fs::read_dir("/proc/self/fd")?.count().to_string()));
    rows.push(("memory beside the log", anonymous()?));
    drop(queues);
    let begun = clock.monotonic();
    store.shutdown().await?;
    rows.push(("shut down", format!("{:.1?}", since(begun))));
    drop(store);

    let begun = clock.monotonic();
    let store = open(root.path()).await?;
    rows.push(("start after a clean end", format!("{:.1?}", since(begun))));
    store.shutdown().await?;
    drop(store);
    let program = std::env::current_exe()?;
    let mut victim = Command::new(program);
    victim.arg("victim").arg(root.path()).arg(topics.to_string()).status()?;
    let begun = clock.monotonic();
    let store = open(root.path()).await?;
    rows.push(("start after a kill", format!("{:.1?}", since(begun))));
    store.caught_up().await?;
    rows.push(("… until all is visible", format!("{:.1?}", since(begun))));
    store.shutdown().await?;
    let queues = format!("{} queues", topics * QUEUES_PER_TOPIC);
    Ok(Figures { queues, rows })
}

/// Appends once to every queue and is gone, without a word.
async fn be_killed(root: &Path, topics: u64) -> Result<(), Failure> {
    let store = open(root).await?;
    let queues = handles(&store, topics);
    fill(&store, &queues, 0..queues.len() as u64).await?;
    std::process::exit(0)
}

/// What appends take of their own thread's CPU.
#[derive(Default)]
struct Rounds {
    /// To the first five queues.
    few: Duration,
    /// To all queues in turn.
    all: Duration,
    /// To the first five while dispatch is busy with all.
    few_beside: Duration,
}

/// Round by round, so that all three find the same machine.
async fn rounds(store: &Store, queues: &[QueueHandle], messages: u64) -> Result<Rounds, Failure> {
    let mut rounds = Rounds::default();
    let few = &queues[..5];
    for begin in (0..messages).step_by(ROUND as usize) {
        let numbers = begin..messages.min(begin + ROUND);
        rounds.few += fill_on_processor(store, few, numbers.clone()).await?;
        store.dispatched().wait(store.appended().reached()).await?;
        rounds.all += fill_on_processor(store, queues, numbers.clone()).await?;
        rounds.few_beside += fill_on_processor(store, few, numbers).await?;
        store.dispatched().wait(store.appended().reached()).await?;
    }
    Ok(rounds)
}

async fn fill_on_processor(
    store: &Store,
    queues: &[QueueHandle],
    numbers: Range<u64>,
) -> Result<Duration, Failure> {
    let ran = on_processor()?;
    fill(store, queues, numbers).await?;
    Ok(on_processor()?.saturating_sub(ran))
}

/// How long this thread has run: the time that others take away from it does not count.
fn on_processor() -> Result<Duration, Failure> {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let ran = times.split(' ').next().ok_or("no time in /proc/thread-self/schedstat")?;
    Ok(Duration::from_nanos(ran.parse()?))
}

async fn open(root: &Path) -> Result<Store, Failure> {
    let doors = TokioRuntime::open(root)?;
    let handles = StoreHandles { disk: doors.disk, clock: doors.clock, tasks: doors.tasks };
    Ok(Store::open(handles, StoreConfig::default()).await?)
}

fn handles(store: &Store, topics: u64) -> Vec<QueueHandle> {
    let numbers = 0..topics * QUEUES_PER_TOPIC;
    // Neighbours in this list are queues of different topics.
    let handle = |number| {
        let topic = format!("Topic{:05}", number % topics);
        store.queue(&topic, (number / topics) as u32)
    };
    numbers.map(handle).collect()
}

/// How long it takes to find the queue of each message by its name.
fn find(store: &Store, topics: u64, messages: u64, clock: &Clock) -> Result<Duration, Failure> {
    let names: Vec<String> = (0..topics).map(|number| format!("Topic{number:05}")).collect();
    let begun = clock.monotonic();
    for number in 0..messages {
        // A stride, so that neighbours are not found one behind the other.
        let topic = &names[(number * 7919 % topics) as usize];
        let queue_id = (number / topics % QUEUES_PER_TOPIC) as u32;
        store.find_queue(topic, queue_id).ok_or("a queue is not found")?;
    }
    Ok(clock.monotonic().since(begun))
}

async fn fill(store: &Store, queues: &[QueueHandle], numbers: Range<u64>) -> Result<(), Failure> {
    let mut sent = numbers.start;
    while sent < numbers.end {
        let end = numbers.end.min(sent + BATCH);
        match batch(store, queues, sent..end) {
            Ok(()) => sent = end,
            Err((at, AppendError::SegmentNotReady)) => {
                sent = at;
                store.segment_ready().await?;
            }
            Err((_, error)) => return Err(error.into()),
        }
    }
    Ok(())
}

fn batch(
    store: &Store,
    queues: &[QueueHandle],
    numbers: Range<u64>,
) -> Result<(), (u64, AppendError)> {
    let host = std::net::SocketAddr::from(([127, 0, 0, 1], 10_911));
    let queue = |number: u64| &queues[(number % queues.len() as u64) as usize];
    // As the broker does.
    numbers.clone().for_each(|number| queue(number).touch());
    let mut appender = store.appender();
    for number in numbers {
        let message = Append {
            queue: queue(number),
            flag: 0,
            sys_flag: SysFlag(0),
            born_timestamp: 0,
            born_host: host,
            store_host: host,
            reconsume_times: 0,
            prepared_transaction_offset: PhysicalOffset(0),
            body: &[7; 128],
            properties: &[b"TAGS\x01TagA\x02WAIT\x01true"],
        };
        appender.append(&message).map_err(|error| (number, error))?;
    }
    Ok(())
}

/// What this process holds that is no file's.
fn anonymous() -> Result<String, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("RssAnon"));
    Ok(line.and_then(|line| line.split_once(':')).map_or("?", |(_, kb)| kb.trim()).into())
}
