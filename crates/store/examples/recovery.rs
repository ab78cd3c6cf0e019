//! How soon a store takes messages after `kill -9`, and when it has caught up:
//! `cargo run --release -p store --example recovery [GIB] [BYTES] [--no-checkpoint]`.
//!
//! A child process writes GIB of messages and is killed in the middle of it; then this process
//! opens what it left. `--no-checkpoint` removes the checkpoint first, so that all is read again.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use message::{PhysicalOffset, SysFlag};
use runtime::Clock;
use runtime_tokio::TokioRuntime;
use store::{Append, AppendError, QueueHandle, Store, StoreConfig, StoreHandles};

/// Messages per hold of the lock, as a busy connection has them.
const BATCH: u64 = 32;
const QUEUES: u32 = 8;
/// What the child says once it has written enough; it goes on writing.
const ENOUGH: &str = "enough";

type Outcome = Result<(), Box<dyn Error>>;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Outcome {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let forgets = arguments.iter().position(|argument| argument == "--no-checkpoint");
    let forgets = forgets.map(|at| arguments.remove(at)).is_some();
    let number = |at: usize| arguments.get(at).map(|number| number.parse::<u64>()).transpose();
    let (gib, bytes) = (number(0)?.unwrap_or(10), number(1)?.unwrap_or(1024));
    if let Some(root) = arguments.get(2) {
        return write_for_ever(Path::new(root), gib << 30, bytes as usize).await;
    }
    let root = tempfile::tempdir()?;
    write_and_kill(root.path(), gib, bytes)?;
    if forgets {
        TokioRuntime::open(root.path())?.disk.remove_file("store/checkpoint").await?;
    }
    recover(root.path(), bytes as usize).await
}

/// Runs this program as a writer and kills it once it has written enough.
fn write_and_kill(root: &Path, gib: u64, bytes: u64) -> Outcome {
    let mut writer = Command::new(std::env::current_exe()?)
        .args([gib.to_string(), bytes.to_string()])
        .arg(root)
        .stdout(Stdio::piped())
        .spawn()?;
    let output = writer.stdout.take().ok_or("the writer has no output")?;
    let said = BufReader::new(output).lines().next().transpose()?;
    let enough = said.as_deref() == Some(ENOUGH);
    writer.kill()?;
    writer.wait()?;
    if enough { Ok(()) } else { Err("the writer ended early".into()) }
}

async fn open(root: &Path) -> Result<Store, Box<dyn Error>> {
    let doors = TokioRuntime::open(root)?;
    let handles = StoreHandles { disk: doors.disk, clock: doors.clock, tasks: doors.tasks };
    Ok(Store::open(handles, StoreConfig::default()).await?)
}

async fn write_for_ever(root: &Path, enough: u64, bytes: usize) -> Outcome {
    let clock = TokioRuntime::open(root)?.clock;
    let store = open(root).await?;
    let body = vec![7; bytes];
    let mut told = false;
    loop {
        append_batch(&store, &clock, BATCH, &body).await?;
        if !told && store.appended().reached() >= enough {
            writeln!(std::io::stdout(), "{ENOUGH}")?;
            told = true;
        }
    }
}

async fn append_batch(store: &Store, clock: &Clock, count: u64, body: &[u8]) -> Outcome {
    let queues: Vec<QueueHandle> = (0..QUEUES).map(|number| store.queue("Bench", number)).collect();
    let host: SocketAddr = "127.0.0.1:10911".parse()?;
    for number in 0..count {
        let message = Append {
            queue: &queues[(number % u64::from(QUEUES)) as usize],
            flag: 0,
            sys_flag: SysFlag(0),
            born_timestamp: 0,
            born_host: host,
            store_host: host,
            reconsume_times: 0,
            prepared_transaction_offset: PhysicalOffset(0),
            body,
            properties: &[b"TAGS\x01TagA"],
        };
        loop {
            let appended = store.appender().append(&message);
            match appended {
                Ok(_) => break,
                Err(AppendError::SegmentNotReady) => store.segment_ready().await?,
                // The device is behind.
                Err(AppendError::Busy { .. }) => {
                    clock.sleep(Duration::from_millis(1)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

/// Opens what the writer left and says how long each step took.
async fn recover(root: &Path, bytes: usize) -> Outcome {
    let clock = TokioRuntime::open(root)?.clock;
    let begun = clock.monotonic();
    let say = |what: &str| {
        let took = clock.monotonic().since(begun).as_secs_f64();
        writeln!(std::io::stdout(), "{took:8.3} s  {what}")
    };
    let store = open(root).await?;
    let found = store.appended().reached();
    say(&format!("open: {:.2} GiB of log", found as f64 / f64::from(1 << 30)))?;
    say(&format!(
        "behind: dispatch {} MiB, flush {} MiB",
        (found - store.dispatched().reached()) >> 20,
        (found - store.flushed().reached()) >> 20,
    ))?;
    append_batch(&store, &clock, 1, &vec![7; bytes]).await?;
    say("the first message is taken")?;
    store.caught_up().await?;
    say("caught up: everything found is visible")?;
    store.flushed().wait(found).await?;
    say("everything found is durable")?;
    store.shutdown().await?;
    Ok(())
}
