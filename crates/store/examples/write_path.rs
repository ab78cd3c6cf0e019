//! What an append costs, beside what the machine asks for it:
//! `cargo run --release -p store --example write_path`
//! `[SECONDS] [DIRECTORY] [--json] [--only=ASYNC/128]`.
//!
//! Writers are tasks that append and wait for the promise, [`BATCH`] messages per hold of the lock
//! under ASYNC_FLUSH, as a busy connection has them, and one under SYNC_FLUSH. Each case runs on a
//! new store for SECONDS (2 by default) or until its segments are used up. Two floors are measured
//! in the same run, with the same door to the same disk, each in two forms:
//!
//! 1. copy + CRC-32 of as many records of the same length into one mapping;
//! 2. for SYNC_FLUSH, syncs of the very batches that the group commits had, one behind the other.
//!
//! `ratio` is the time of a message by the time of the floor: 1.0 is the machine itself. It is the
//! floor in a file as the store's segments are: allocated, and every byte in a page that nobody has
//! touched before. `used` is the floor in a file that was written before, over and over: no page is
//! made and no block is new, which a log never has.

#![expect(clippy::disallowed_methods, reason = "writers are tasks of this machine, not of a node")]

use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use message::{PhysicalOffset, SysFlag};
use runtime::{Clock, Disk, SegmentFile};
use runtime_tokio::TokioRuntime;
use store::{
    Append, AppendError, FlushMode, PoolConfig, QueueHandle, Store, StoreConfig, StoreHandles,
};

/// Messages per hold of the lock under ASYNC_FLUSH.
const BATCH: u64 = 32;
const QUEUES: u32 = 8;
const BODIES: [usize; 3] = [128, 1024, 16 << 10];
const WRITERS: [u64; 3] = [1, 16, 256];
/// Of a store's segments here, in bytes.
const SEGMENT: u64 = 256 << 20;
/// So many bytes are appended in one case at most.
const BYTES_MAX: u64 = 512 << 20;
const PROPERTIES: &[u8] = b"TAGS\x01TagA\x02CLUSTER\x01DefaultCluster";

type Failed = Box<dyn Error + Send + Sync>;

/// How a case stores.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Async,
    Pool,
    Sync,
}

impl Mode {
    fn name(self) -> &'static str {
        match self {
            Mode::Async => "ASYNC",
            Mode::Pool => "ASYNC+pool",
            Mode::Sync => "SYNC",
        }
    }

    fn config(self) -> StoreConfig {
        StoreConfig {
            segment_size: SEGMENT,
            flush: if self == Mode::Sync { FlushMode::Sync } else { FlushMode::Async },
            pool: (self == Mode::Pool).then(PoolConfig::default),
            // Flow control would measure the device, not the append.
            unflushed_bytes_max: u64::MAX,
            ..StoreConfig::default()
        }
    }

    fn batch(self) -> u64 {
        if self == Mode::Sync { 1 } else { BATCH }
    }
}

/// One case and its floor.
struct Row {
    mode: Mode,
    body: usize,
    writers: u64,
    messages: u64,
    record_len: u64,
    seconds: f64,
    cpu_seconds: f64,
    /// The machine's own time for the same in a new file, in seconds.
    floor_seconds: f64,
    /// And in one that was written before.
    used_seconds: f64,
    /// Group commits.
    commits: u64,
    /// Appends that flow control refused and that were tried again.
    refused: u64,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Failed> {
    let (options, plain): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|it| it.starts_with("--"));
    let json = options.iter().any(|it| it == "--json");
    let only = options.iter().find_map(|it| it.strip_prefix("--only="));
    let seconds = plain.first().map_or(Ok(2), |text| text.parse::<u64>())?;
    let base = plain.get(1).map(String::as_str);
    let mut rows = Vec::new();
    for mode in [Mode::Async, Mode::Pool, Mode::Sync] {
        for body in BODIES {
            for writers in WRITERS {
                let name = format!("{}/{body}/{writers}", mode.name());
                if only.is_some_and(|only| !name.starts_with(only)) {
                    continue;
                }
                rows.push(case(mode, body, writers, seconds, base).await?);
                if !json {
                    print(&rows)?;
                }
            }
        }
    }
    if json {
        print_json(&rows)?;
    }
    Ok(())
}

async fn case(
    mode: Mode,
    body: usize,
    writers: u64,
    seconds: u64,
    base: Option<&str>,
) -> Result<Row, Failed> {
    let root = match base {
        Some(base) => tempfile::tempdir_in(base)?,
        None => tempfile::tempdir()?,
    };
    let doors = TokioRuntime::open(root.path())?;
    let (disk, clock, tasks) = (doors.disk.clone(), doors.clock.clone(), doors.tasks.clone());
    let handles = StoreHandles { disk: disk.clone(), clock: clock.clone(), tasks };
    let store = Store::open(handles, mode.config()).await?;
    // The pages ahead of the tail are made by a task.
    clock.sleep(Duration::from_millis(200)).await;
    let load = Load { store: store.clone(), body, batch: mode.batch(), writers };
    let batches = watch_commits(&store);
    let (cpu, begun) = (cpu_seconds().await?, clock.monotonic());
    let (messages, refused) = run(&load, &clock, seconds).await?;
    let spent = clock.monotonic().since(begun).as_secs_f64();
    let cpu_seconds = cpu_seconds().await? - cpu;
    let record_len = store.appended().reached() / messages.max(1);
    store.shutdown().await?;
    let batches = batches.await?;
    let mut floors = [0.0; 2];
    for (floor, used) in floors.iter_mut().zip([false, true]) {
        let file = Floor::open(&disk, used).await?;
        *floor = match mode {
            Mode::Sync => file.sync(&clock, &batches).await?,
            _ => file.copy(&clock, messages, record_len).await?,
        };
    }
    Ok(Row {
        mode,
        body,
        writers,
        messages,
        record_len,
        seconds: spent,
        cpu_seconds,
        floor_seconds: floors[0],
        used_seconds: floors[1],
        commits: batches.len() as u64,
        refused,
    })
}

/// What writers do.
#[derive(Clone)]
struct Load {
    store: Store,
    body: usize,
    batch: u64,
    writers: u64,
}

/// Runs the writers; gives how many messages they appended, and how many tries were refused.
async fn run(load: &Load, clock: &Clock, seconds: u64) -> Result<(u64, u64), Failed> {
    let (stop, refused) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let each = BYTES_MAX / (load.body as u64 + 160) / load.writers;
    let writers: Vec<_> = (0..load.writers)
        .map(|number| {
            let (load, stop, refused) = (load.clone(), stop.clone(), refused.clone());
            tokio::spawn(async move { write(&load, number, each, &stop, &refused).await })
        })
        .collect();
    let (timer, after) = (stop.clone(), clock.sleep(Duration::from_secs(seconds)));
    let waiting = async {
        let mut messages = 0;
        for writer in writers {
            messages += writer.await??;
        }
        Ok::<u64, Failed>(messages)
    };
    let limit = async {
        after.await;
        timer.store(true, Ordering::Relaxed);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        biased;
        messages = waiting => Ok((messages?, refused.load(Ordering::Relaxed))),
        () = limit => unreachable!("it only raises the flag"),
    }
}

async fn write(
    load: &Load,
    number: u64,
    messages: u64,
    stop: &AtomicBool,
    refused: &AtomicU64,
) -> Result<u64, Failed> {
    let queue = load.store.queue("Bench", (number % u64::from(QUEUES)) as u32);
    let body = vec![7; load.body];
    let mut sent = 0;
    while sent < messages && !stop.load(Ordering::Relaxed) {
        let (appended, end, full) = append(load, &queue, &body)?;
        sent += appended;
        match full {
            None => load.store.promised().wait(end).await?,
            Some(AppendError::SegmentNotReady) => load.store.segment_ready().await?,
            Some(AppendError::Busy { .. }) => {
                refused.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
            Some(error) => return Err(error.into()),
        }
        // One that waits for nothing lets others run, too, as a connection does.
        tokio::task::consume_budget().await;
    }
    Ok(sent)
}

/// Appends one batch: how many went in, the end of the last, and what kept the others out.
fn append(
    load: &Load,
    queue: &QueueHandle,
    body: &[u8],
) -> Result<(u64, u64, Option<AppendError>), Failed> {
    let host = SocketAddr::from(([127, 0, 0, 1], 10_911));
    let message = Append {
        queue,
        flag: 0,
        sys_flag: SysFlag(0),
        born_timestamp: 0,
        born_host: host,
        store_host: host,
        reconsume_times: 0,
        prepared_transaction_offset: PhysicalOffset(0),
        body,
        properties: &[PROPERTIES],
    };
    let mut end = 0;
    let mut appender = load.store.admit()?;
    for appended in 0..load.batch {
        match appender.append(&message) {
            Ok(place) => end = place.end,
            Err(error) => return Ok((appended, end, Some(error))),
        }
    }
    Ok((load.batch, end, None))
}

/// The sizes of all group commits from now on, given when the store ends.
fn watch_commits(store: &Store) -> tokio::task::JoinHandle<Vec<u64>> {
    let flushed = store.flushed().clone();
    tokio::spawn(async move {
        let (mut at, mut batches) = (flushed.reached(), Vec::new());
        while flushed.wait(at + 1).await.is_ok() {
            let reached = flushed.reached();
            batches.push(reached - at);
            at = reached;
        }
        batches
    })
}

/// A file to measure a floor in.
struct Floor {
    disk: Disk,
    file: SegmentFile,
    used: bool,
    made: u64,
}

impl Floor {
    /// A file of the length of a segment; written through and durable if `used`.
    async fn open(disk: &Disk, used: bool) -> Result<Self, Failed> {
        let name = if used { "floor-used" } else { "floor" };
        let file = disk.create_segment(&format!("{name}-0"), SEGMENT).await?;
        if used {
            let zeros = vec![0; 1 << 20];
            for at in (0..SEGMENT).step_by(zeros.len()) {
                file.write_at(at, &[&zeros])?;
            }
        }
        file.sync(0..SEGMENT).await?;
        Ok(Self { disk: disk.clone(), file, used, made: 0 })
    }

    /// The file is full: the next one is new again, unless used ones are wanted.
    async fn next(&mut self, clock: &Clock) -> Result<f64, Failed> {
        let begun = clock.monotonic();
        if !self.used {
            self.made += 1;
            let name = format!("floor-{}", self.made);
            self.file = self.disk.create_segment(&name, SEGMENT).await?;
            self.file.sync(0..SEGMENT).await?;
        }
        Ok(clock.monotonic().since(begun).as_secs_f64())
    }

    /// Floor 1: so many records of that length, each with its CRC-32, into a mapping. Making files
    /// is not counted: the store makes them ahead.
    async fn copy(mut self, clock: &Clock, count: u64, len: u64) -> Result<f64, Failed> {
        let record = vec![7; len as usize];
        let begun = clock.monotonic();
        let (mut at, mut making) = (0, 0.0);
        for _ in 0..count {
            if at + len > SEGMENT {
                making += self.next(clock).await?;
                at = 0;
            }
            std::hint::black_box(crc32fast::hash(std::hint::black_box(&record)));
            self.file.write_at(at, &[&record])?;
            at += len;
        }
        Ok(clock.monotonic().since(begun).as_secs_f64() - making)
    }

    /// Floor 2: batches of those sizes, copied and synced one behind the other.
    async fn sync(mut self, clock: &Clock, batches: &[u64]) -> Result<f64, Failed> {
        let longest = batches.iter().copied().max().unwrap_or(0).min(SEGMENT);
        let bytes = vec![7; longest as usize];
        let begun = clock.monotonic();
        let (mut at, mut making) = (0, 0.0);
        for batch in batches {
            let batch = (*batch).min(SEGMENT);
            if at + batch > SEGMENT {
                making += self.next(clock).await?;
                at = 0;
            }
            self.file.write_at(at, &[&bytes[..batch as usize]])?;
            self.file.sync(at..at + batch).await?;
            at += batch;
        }
        Ok(clock.monotonic().since(begun).as_secs_f64() - making)
    }
}

/// The processor time of this process in seconds, to a hundredth: fields 14 and 15 of its `stat`.
async fn cpu_seconds() -> Result<f64, Failed> {
    let process = TokioRuntime::open(std::path::Path::new("/proc/self"))?;
    let stat = String::from_utf8(process.disk.read("stat").await?.to_vec())?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split(' ').collect();
    let ticks: f64 = fields[12].parse::<f64>()? + fields[13].parse::<f64>()?;
    Ok(ticks / 100.0)
}

impl Row {
    fn rate(&self) -> f64 {
        self.messages as f64 / self.seconds
    }

    fn cpu_micros(&self) -> f64 {
        self.cpu_seconds * 1e6 / self.messages.max(1) as f64
    }

    fn ratio(&self) -> f64 {
        self.seconds / self.floor_seconds
    }

    fn used_ratio(&self) -> f64 {
        self.seconds / self.used_seconds
    }
}

/// The last row, and the head of the table before the first.
fn print(rows: &[Row]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    if rows.len() == 1 {
        writeln!(
            out,
            "{:<10} {:>6} {:>7} {:>7} {:>9} {:>11} {:>7} {:>8} {:>8} {:>6} {:>6} {:>7}",
            "mode",
            "body",
            "record",
            "writers",
            "messages",
            "messages/s",
            "MB/s",
            "CPU us",
            "commits",
            "ratio",
            "used",
            "refused"
        )?;
    }
    let Some(row) = rows.last() else { return Ok(()) };
    writeln!(
        out,
        "{:<10} {:>6} {:>7} {:>7} {:>9} {:>11.0} {:>7.0} {:>8.3} {:>8} {:>6.2} {:>6.2} {:>7}",
        row.mode.name(),
        row.body,
        row.record_len,
        row.writers,
        row.messages,
        row.rate(),
        row.rate() * row.record_len as f64 / 1e6,
        row.cpu_micros(),
        row.commits,
        row.ratio(),
        row.used_ratio(),
        row.refused
    )
}

fn print_json(rows: &[Row]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let rows: Vec<String> = rows
        .iter()
        .map(|row| {
            format!(
                "{{\"mode\":\"{}\",\"body\":{},\"record\":{},\"writers\":{},\"messages\":{},\
                 \"seconds\":{:.6},\"per_second\":{:.0},\"cpu_us\":{:.3},\"commits\":{},\
                 \"floor_seconds\":{:.6},\"ratio\":{:.3},\"used_ratio\":{:.3},\"refused\":{}}}",
                row.mode.name(),
                row.body,
                row.record_len,
                row.writers,
                row.messages,
                row.seconds,
                row.rate(),
                row.cpu_micros(),
                row.commits,
                row.floor_seconds,
                row.ratio(),
                row.used_ratio(),
                row.refused
            )
        })
        .collect();
    writeln!(out, "[{}]", rows.join(",\n"))
}
