//! How fast one core appends: `cargo run --release -p store --example append [MESSAGES] [BYTES]`.
//!
//! Measures appends alone, then dispatch alone, then reading everything back by pulls.

use std::error::Error;
use std::io::Write;

use message::{PhysicalOffset, QueueOffset, SysFlag};
use runtime::Clock;
use runtime_tokio::TokioRuntime;
use store::{Append, AppendError, GetRequest, GetStatus, Store, StoreConfig, StoreHandles};

/// Messages per hold of the lock, as a busy connection has them.
const BATCH: u64 = 32;
const QUEUES: u32 = 8;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let messages = arguments.next().transpose()?.unwrap_or(2_000_000);
    let bytes = arguments.next().transpose()?.unwrap_or(1024);
    let root = tempfile::tempdir()?;
    let doors = TokioRuntime::open(root.path())?;
    let handles = || StoreHandles {
        disk: doors.disk.clone(),
        clock: doors.clock.clone(),
        tasks: doors.tasks.clone(),
    };
    let clock = &doors.clock;

    let store = Store::open(handles(), StoreConfig::default()).await?;
    let begun = clock.monotonic();
    append_all(&store, messages, &vec![7; bytes as usize]).await?;
    report("append", messages, clock, begun)?;
    store.dispatched().wait(store.appended().reached()).await?;
    report("append and dispatch", messages, clock, begun)?;

    let begun = clock.monotonic();
    let found = read_all(&store).await;
    report("read", found, clock, begun)?;
    let begun = clock.monotonic();
    store.shutdown().await?;
    report("shut down", messages, clock, begun)?;

    let begun = clock.monotonic();
    let store = Store::open(handles(), StoreConfig::default()).await?;
    report("open again", messages, clock, begun)?;
    assert_eq!(read_all(&store).await, messages, "everything is there after a restart");
    store.shutdown().await?;
    Ok(())
}

async fn append_all(store: &Store, messages: u64, body: &[u8]) -> Result<(), Box<dyn Error>> {
    let queues: Vec<_> = (0..QUEUES).map(|number| store.queue("Bench", number)).collect();
    let host = "127.0.0.1:10911".parse()?;
    let mut sent = 0;
    while sent < messages {
        let full = {
            let mut appender = store.appender();
            let end = messages.min(sent + BATCH);
            loop {
                if sent == end {
                    break false;
                }
                let message = Append {
                    queue: &queues[(sent % u64::from(QUEUES)) as usize],
                    flag: 0,
                    sys_flag: SysFlag(0),
                    born_timestamp: 0,
                    born_host: host,
                    store_host: host,
                    reconsume_times: 0,
                    prepared_transaction_offset: PhysicalOffset(0),
                    body,
                    properties: &[b"TAGS\x01TagA\x02WAIT\x01true"],
                };
                match appender.append(&message) {
                    Ok(_) => sent += 1,
                    Err(AppendError::SegmentNotReady) => break true,
                    Err(error) => return Err(error.into()),
                }
            }
        };
        if full {
            store.segment_ready().await?;
        }
    }
    Ok(())
}

async fn read_all(store: &Store) -> u64 {
    let mut found = 0;
    for queue in store.queues() {
        let mut from = QueueOffset(0);
        loop {
            let request = GetRequest {
                queue: &queue,
                from,
                count_max: store::COUNT_MAX,
                bytes_max: store::BYTES_MAX,
                filter: &|_| true,
            };
            let result = store.get(&request).await;
            if result.status != GetStatus::Found {
                break;
            }
            found += result.count;
            from = result.next_begin;
        }
    }
    found
}

fn report(
    what: &str,
    messages: u64,
    clock: &Clock,
    begun: runtime::Monotonic,
) -> std::io::Result<()> {
    let took = clock.monotonic().since(begun);
    let each = took.as_nanos() / u128::from(messages.max(1));
    let rate = messages as f64 / took.as_secs_f64();
    let mut out = std::io::stdout().lock();
    writeln!(out, "{what}: {messages} messages in {took:?}, {each} ns each, {rate:.0} a second")
}
