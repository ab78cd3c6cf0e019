//! What a producer feels while a backlog that is not in memory is replayed:
//! `cargo run --release -p store --example cold [GIB] [MIB_PER_S]… [--dir DIR]`.
//!
//! Writes GIB of backlog (4), lets the kernel forget it, and then measures a producer with
//! SYNC_FLUSH alone, and again beside consumers that replay the backlog: once per budget given (0:
//! none), each from cold.

#![expect(clippy::disallowed_methods, reason = "readers are tasks of this machine, not of a node")]

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use message::{PhysicalOffset, QueueOffset, SysFlag};
use runtime::Runtime;
use runtime_tokio::TokioRuntime;
use store::{Append, AppendError, FlushMode, GetRequest, GetStatus, QueueHandle, Store};
use store::{StoreConfig, StoreHandles};

const BODY: usize = 1024;
const QUEUES: u32 = 8;
/// A producer that sends a message, waits for its promise and this long, and sends the next.
const PAUSE: Duration = Duration::from_millis(1);
/// How long the producer is measured alone.
const ALONE: Duration = Duration::from_secs(10);
type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let directory = match arguments.iter().position(|argument| argument == "--dir") {
        Some(at) => {
            let taken: Vec<String> = arguments.drain(at..).collect();
            taken.get(1).map(PathBuf::from).ok_or("--dir wants a directory")?
        }
        None => std::env::temp_dir(),
    };
    let mut numbers = arguments.iter().map(|argument| argument.parse::<u64>());
    let gib = numbers.next().transpose()?.unwrap_or(4);
    let mut budgets = numbers.collect::<Result<Vec<_>, _>>()?;
    if budgets.is_empty() {
        budgets = vec![0, 256, 64];
    }
    let root = tempfile::tempdir_in(directory)?;
    let doors = TokioRuntime::open(root.path())?;
    let store = open(&doors, 0).await?;
    let messages = fill(&store, gib << 30).await?;
    end(store).await?;

    let store = open(&doors, 0).await?;
    let latencies = measure(&doors, &store, ALONE).await?;
    say("alone", latencies, "")?;
    end(store).await?;
    for mib in budgets {
        forget(&doors).await?;
        let store = open(&doors, mib << 20).await?;
        let replayed = Arc::new(AtomicBool::new(false));
        let replay = tokio::spawn(replay(store.clone(), messages, replayed.clone()));
        let begun = doors.clock.monotonic();
        let latencies = measure_until(&doors, &store, &replayed).await?;
        replay.await??;
        let took = doors.clock.monotonic().since(begun);
        let rate = (gib << 10) as f64 / took.as_secs_f64();
        let name = if mib == 0 { "no budget".to_owned() } else { format!("{mib} MiB/s") };
        say(&name, latencies, &format!("; {gib} GiB replayed in {took:.1?}, {rate:.0} MiB/s"))?;
        end(store).await?;
    }
    Ok(())
}

/// Shuts the store down and lets go of its mappings: the kernel forgets no page that is mapped.
async fn end(store: Store) -> Result<(), Failure> {
    Ok(store.shutdown().await?)
}

/// Opens the store; without a budget, nothing bounds cold reads at all.
async fn open(doors: &Runtime, bytes_per_s: u64) -> Result<Store, Failure> {
    let handles = StoreHandles {
        disk: doors.disk.clone(),
        clock: doors.clock.clone(),
        tasks: doors.tasks.clone(),
    };
    let defaults = StoreConfig::default();
    let config = StoreConfig {
        flush: FlushMode::Sync,
        cold_reads_max: if bytes_per_s == 0 { 1024 } else { defaults.cold_reads_max },
        cold_read_bytes_per_s_max: bytes_per_s,
        ..defaults
    };
    Ok(Store::open(handles, config).await?)
}

async fn append(store: &Store, queue: &QueueHandle) -> Result<u64, Failure> {
    let host = "127.0.0.1:10911".parse()?;
    loop {
        let appended = store.appender().append(&Append {
            queue,
            flag: 0,
            sys_flag: SysFlag(0),
            born_timestamp: 0,
            born_host: host,
            store_host: host,
            reconsume_times: 0,
            prepared_transaction_offset: PhysicalOffset(0),
            body: &[7; BODY],
            properties: &[b"TAGS\x01TagA"],
        });
        match appended {
            Ok(appended) => return Ok(appended.end),
            Err(AppendError::SegmentNotReady) => store.segment_ready().await?,
            Err(AppendError::Busy { .. }) => {
                store.flushed().wait(store.appended().reached()).await?
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Writes the backlog; gives the number of messages in each queue.
async fn fill(store: &Store, bytes: u64) -> Result<u64, Failure> {
    let queues: Vec<_> = (0..QUEUES).map(|number| store.queue("Backlog", number)).collect();
    let (mut rounds, mut end) = (0, 0);
    while end < bytes {
        for queue in &queues {
            end = append(store, queue).await?;
        }
        rounds += 1;
    }
    store.promised().wait(end).await?;
    store.dispatched().wait(end).await?;
    Ok(rounds)
}

/// Lets the kernel forget the log.
async fn forget(doors: &Runtime) -> Result<(), Failure> {
    for entry in doors.disk.list("store/commitlog").await? {
        let segment = doors.disk.open_segment(&format!("store/commitlog/{}", entry.name)).await?;
        segment.release(0..segment.len());
        if segment.is_loaded(0..segment.len()) {
            return Err(format!("the kernel does not forget {}", entry.name).into());
        }
    }
    Ok(())
}

async fn replay(store: Store, messages: u64, done: Arc<AtomicBool>) -> Result<(), Failure> {
    let readers: Vec<_> =
        (0..QUEUES).map(|number| tokio::spawn(drain(store.clone(), number, messages))).collect();
    let mut ended = Ok(());
    for reader in readers {
        ended = ended.and(reader.await?);
    }
    done.store(true, Ordering::Release);
    ended
}

/// Reads one queue as a consumer does, and touches every message as a socket would.
async fn drain(store: Store, number: u32, messages: u64) -> Result<(), Failure> {
    let queue = store.queue("Backlog", number);
    let mut from = QueueOffset(0);
    let mut touched = 0_u64;
    while from.0 < messages {
        let request = GetRequest {
            queue: &queue,
            from,
            count_max: store::COUNT_MAX,
            bytes_max: store::BYTES_MAX,
            filter: &|_| true,
        };
        let result = store.get(&request).await;
        if result.status != GetStatus::Found {
            return Err(format!("{:?} at {from}", result.status).into());
        }
        for slice in &result.messages {
            touched += slice.iter().step_by(512).map(|byte| u64::from(*byte)).sum::<u64>();
        }
        from = result.next_begin;
        tokio::task::yield_now().await;
    }
    std::hint::black_box(touched);
    Ok(())
}

async fn measure(doors: &Runtime, store: &Store, time: Duration) -> Result<Vec<Duration>, Failure> {
    let done = Arc::new(AtomicBool::new(false));
    let clock = doors.clock.clone();
    let bell = tokio::spawn({
        let done = done.clone();
        async move {
            clock.sleep(time).await;
            done.store(true, Ordering::Release);
        }
    });
    let latencies = measure_until(doors, store, &done).await;
    bell.await?;
    latencies
}

/// Sends, one message at a time, until it is over; gives how long each acknowledgement took.
async fn measure_until(
    doors: &Runtime,
    store: &Store,
    over: &AtomicBool,
) -> Result<Vec<Duration>, Failure> {
    let queue = store.queue("Live", 0);
    let mut latencies = Vec::new();
    while !over.load(Ordering::Acquire) {
        let begun = doors.clock.monotonic();
        let end = append(store, &queue).await?;
        store.promised().wait(end).await?;
        latencies.push(doors.clock.monotonic().since(begun));
        doors.clock.sleep(PAUSE).await;
    }
    Ok(latencies)
}

fn say(what: &str, mut latencies: Vec<Duration>, more: &str) -> Result<(), Failure> {
    latencies.sort_unstable();
    let at = |part: f64| {
        let last = latencies.len().saturating_sub(1);
        latencies.get((last as f64 * part) as usize).copied().unwrap_or_default()
    };
    let (half, p99, most) = (at(0.5), at(0.99), at(1.0));
    let mut out = std::io::stdout().lock();
    let sent = latencies.len();
    writeln!(out, "{what}: {sent} sends, P50 {half:.2?}, P99 {p99:.2?}, max {most:.2?}{more}")?;
    Ok(())
}
