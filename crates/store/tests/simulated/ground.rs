//! The ground the store's tests stand on: a world with one node, a writer, and a ledger of what
//! the store has promised.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use message::record::{View, views};
use message::{PhysicalOffset, QueueOffset, SysFlag};
use runtime::Rng;
use sim::{Node, World};
use store::{
    Append, AppendError, Appended, FlushMode, GetRequest, GetStatus, OpenError, PoolConfig,
    QUERY_COUNT_MAX, QueryRequest, QueueHandle, Store, StoreConfig, StoreHandles,
};

/// Unique keys that a check asks for, about.
const KEYS_CHECKED: usize = 20;

/// The topics and queues that the writers use.
pub(crate) const QUEUES: [(&str, u32); 4] =
    [("Orders", 0), ("Orders", 1), ("Bills", 0), ("%RETRY%g", 3)];

/// Small files, so that every boundary is met often.
pub(crate) fn small(flush: FlushMode) -> StoreConfig {
    StoreConfig {
        segment_size: 64 << 10,
        queue_segment_entries: 20,
        queue_files_open_max: 3,
        queue_syncs_max: 2,
        index_slots: 16,
        index_entries: 20,
        flush,
        ..StoreConfig::default()
    }
}

/// The same with the off-heap pool.
pub(crate) fn pooled() -> StoreConfig {
    StoreConfig { pool: Some(PoolConfig::default()), ..small(FlushMode::Async) }
}

/// Opens the store in a process of the node that runs now, and waits until everything that
/// recovery found is visible.
pub(crate) async fn open(
    world: &World,
    node: &Node,
    config: StoreConfig,
) -> Result<Store, OpenError> {
    let store = open_behind(world, node, config).await?;
    let opened = store.clone();
    let caught_up = world.on(node, async move { opened.caught_up().await }).await;
    let caught_up = caught_up.expect("the node lives while its store catches up");
    caught_up.map_err(OpenError::Failed)?;
    Ok(store)
}

/// Opens the store in a process of the node that runs now; what recovery found is dispatched
/// behind.
pub(crate) async fn open_behind(
    world: &World,
    node: &Node,
    config: StoreConfig,
) -> Result<Store, OpenError> {
    let doors = world.runtime(node);
    let handles = StoreHandles { disk: doors.disk, clock: doors.clock, tasks: doors.tasks };
    let opened = world.on(node, Store::open(handles, config)).await;
    opened.expect("the node lives while its store opens")
}

/// One message as it was handed to the store.
pub(crate) fn message<'a>(
    queue: &'a QueueHandle,
    body: &'a [u8],
    properties: &'a [&'a [u8]],
) -> Append<'a> {
    let host = std::net::SocketAddr::from(([10, 0, 0, 1], 10_911));
    Append {
        queue,
        flag: 7,
        sys_flag: SysFlag(0),
        born_timestamp: 1,
        born_host: host,
        store_host: host,
        reconsume_times: 0,
        prepared_transaction_offset: PhysicalOffset(0),
        body,
        properties,
    }
}

/// Appends one message, waiting for a segment if it must.
pub(crate) async fn append(
    store: &Store,
    queue: &QueueHandle,
    body: &[u8],
) -> Result<Appended, AppendError> {
    let keys = format!("\x02UNIQ_KEY\x01{}\x02KEYS\x01common  {}", unique_key(body), word(body));
    append_with(store, queue, body, &[b"TAGS\x01TagA", keys.as_bytes()]).await
}

/// The same without keys: a record as long as its body and what is fixed.
pub(crate) async fn append_plain(
    store: &Store,
    queue: &QueueHandle,
    body: &[u8],
) -> Result<Appended, AppendError> {
    append_with(store, queue, body, &[b"TAGS\x01TagA"]).await
}

async fn append_with(
    store: &Store,
    queue: &QueueHandle,
    body: &[u8],
    properties: &[&[u8]],
) -> Result<Appended, AppendError> {
    loop {
        let appended = store.appender().append(&message(queue, body, properties));
        match appended {
            Err(AppendError::SegmentNotReady) => {
                store.segment_ready().await.map_err(AppendError::Poisoned)?;
            }
            other => return other,
        }
    }
}

/// The unique key of a message with this body; equal bodies have equal ones.
pub(crate) fn unique_key(body: &[u8]) -> String {
    let hash = body.iter().fold(body.len() as u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3).rotate_left(5)
    });
    format!("{hash:016X}")
}

/// A word of KEYS that messages share.
fn word(body: &[u8]) -> String {
    format!("word{}", body.len() % 11)
}

/// Where a message stands: its topic, its queue, its place.
pub(crate) type Place = (String, u32, u64);

/// A message that the store took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) physical: u64,
    pub(crate) end: u64,
    pub(crate) body: Bytes,
}

/// What the store owes. Clones are the same ledger.
#[derive(Clone, Default)]
pub(crate) struct Ledger(Arc<Mutex<Books>>);

#[derive(Default)]
pub(crate) struct Books {
    /// Appended, whether promised or not.
    pub(crate) taken: BTreeMap<Place, Taken>,
    /// Appended and not known to be promised, in the order of the log.
    waiting: VecDeque<Place>,
    /// Waited for at `promised`, with success.
    pub(crate) promised: BTreeMap<Place, Taken>,
    /// Read by somebody.
    pub(crate) seen: BTreeMap<Place, Bytes>,
}

impl Ledger {
    pub(crate) fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap()
    }

    /// Appends random messages to random queues in batches, with pauses, until the store refuses.
    pub(crate) async fn keep_writing(self, store: Store, clock: runtime::Clock, rng: Rng) {
        let queues = QUEUES.map(|(topic, queue_id)| store.queue(topic, queue_id));
        loop {
            let mut last = None;
            for _ in 0..1 + rng.below(12) {
                let queue = &queues[rng.below(QUEUES.len() as u64) as usize];
                let mut body = vec![0; rng.below(1 << rng.below(13)) as usize];
                rng.fill(&mut body);
                let Ok(appended) = append(&store, queue, &body).await else { return };
                let place = place(queue, appended.queue_offset);
                let (physical, end) = (appended.physical.0, appended.end);
                let taken = Taken { physical, end, body: body.into() };
                let books = &mut *self.books();
                books.waiting.push_back(place.clone());
                let again = books.taken.insert(place.clone(), taken);
                assert_eq!(again, None, "{place:?} was given to two messages");
                last = Some(appended.end);
            }
            if rng.chance(0.5) {
                let Ok(()) = store.promised().wait(last.unwrap_or(0)).await else { return };
                self.note_promised(&store);
            }
            clock.sleep(Duration::from_micros(rng.below(20_000))).await;
        }
    }

    /// Reads all queues as they grow; whatever it sees must be promised at that moment.
    pub(crate) async fn keep_reading(self, store: Store, clock: runtime::Clock, rng: Rng) {
        let mut ends = BTreeMap::new();
        loop {
            for queue in store.queues() {
                let key = (queue.topic().to_owned(), queue.queue_id());
                let from = ends.entry(key).or_insert(queue.min_offset());
                for (place, seen) in read_from(&store, &queue, *from).await {
                    let limit = store.visible().reached();
                    assert!(
                        seen.end <= limit,
                        "{place:?} is visible at {limit}, before it is owed"
                    );
                    *from = QueueOffset(place.2 + 1);
                    self.books().seen.insert(place, seen.body);
                }
            }
            clock.sleep(Duration::from_millis(1 + rng.below(50))).await;
        }
    }

    /// Everything that was taken and lies below `promised` is promised.
    pub(crate) fn note_promised(&self, store: &Store) {
        let limit = store.promised().reached();
        let books = &mut *self.books();
        while let Some(taken) = books.waiting.front().map(|place| &books.taken[place])
            && taken.end <= limit
        {
            let taken = taken.clone();
            let place = books.waiting.pop_front().expect("it was at the front");
            books.promised.insert(place, taken);
        }
    }

    /// After a crash that may take everything from `limit` on: only what lies before is owed.
    pub(crate) fn forget_from(&self, limit: u64) {
        let books = &mut *self.books();
        books.promised.retain(|_, taken| taken.end <= limit);
        let promised = &books.promised;
        books.seen.retain(|place, _| promised.contains_key(place));
        books.taken.clone_from(&books.promised);
        books.waiting.clear();
    }

    /// After a crash: what was not promised may be there or not, and its place may be given again.
    pub(crate) fn forget_unpromised(&self) {
        let books = &mut *self.books();
        books.taken.clone_from(&books.promised);
        books.waiting.clear();
    }

    /// Everything owed is there, at its place, byte for byte, and nothing contradicts the ledger.
    /// What is there beyond that is owed from now on: it is visible.
    pub(crate) async fn check(&self, store: &Store, when: &str) {
        let there: BTreeMap<Place, Taken> = read_everything(store).await.into_iter().collect();
        // Not held while the store is asked.
        let promised = self.books().promised.clone();
        for (place, owed) in &promised {
            let found = there.get(place);
            assert_eq!(found, Some(owed), "{when}: {place:?} is owed");
            let record = store.message_at(PhysicalOffset(owed.physical)).await.unwrap();
            let record = record.expect("what is in a queue is in the log");
            assert_eq!(View::parse(&record).unwrap().body, owed.body);
        }
        check_keys(store, &there, when).await;
        let books = &mut *self.books();
        for (place, seen) in &books.seen {
            let found = there.get(place).map(|taken| &taken.body);
            assert_eq!(found, Some(seen), "{when}: {place:?} had been seen");
        }
        books.promised.clone_from(&there);
        books.taken = there;
        books.waiting.clear();
    }
}

/// The bodies found by a key, oldest first.
pub(crate) async fn query(store: &Store, topic: &str, key: &str) -> Vec<Bytes> {
    let whole = (0, u64::MAX);
    let request =
        QueryRequest { topic, key, count_max: QUERY_COUNT_MAX, begin_ms: whole.0, end_ms: whole.1 };
    let found = store.query(&request).await.expect("the disk can be read");
    let body = |record: &Bytes| Bytes::copy_from_slice(View::parse(record).unwrap().body);
    found.messages.iter().map(body).collect()
}

/// Every key that is asked for, of some, finds exactly the newest messages that have it.
async fn check_keys(store: &Store, there: &BTreeMap<Place, Taken>, when: &str) {
    let mut by_key: BTreeMap<(&str, String), Vec<&Taken>> = BTreeMap::new();
    for ((topic, ..), taken) in there {
        for key in [unique_key(&taken.body), word(&taken.body), "common".into()] {
            by_key.entry((topic, key)).or_default().push(taken);
        }
    }
    let every = by_key.len() / KEYS_CHECKED + 1;
    let last = by_key.len().saturating_sub(1);
    for (at, ((topic, key), mut taken)) in by_key.into_iter().enumerate() {
        if at % every != 0 && taken.len() == 1 && at != last {
            continue;
        }
        taken.sort_by_key(|taken| taken.physical);
        let newest = &taken[taken.len().saturating_sub(QUERY_COUNT_MAX)..];
        let owed: Vec<_> = newest.iter().map(|taken| &taken.body).collect();
        let found = query(store, topic, &key).await;
        assert!(found.iter().eq(owed), "{when}: {topic}#{key} finds {} messages", found.len());
    }
    assert_eq!(query(store, "Orders", "nobody").await, Vec::<Bytes>::new());
}

/// The place of a message.
pub(crate) fn place(queue: &QueueHandle, offset: QueueOffset) -> Place {
    (queue.topic().to_owned(), queue.queue_id(), offset.0)
}

/// Every message of a queue.
pub(crate) async fn read_all(store: &Store, queue: &QueueHandle) -> Vec<(Place, Taken)> {
    read_from(store, queue, queue.min_offset()).await
}

/// Every message of every queue.
pub(crate) async fn read_everything(store: &Store) -> Vec<(Place, Taken)> {
    let mut messages = Vec::new();
    for queue in store.queues() {
        messages.extend(read_all(store, &queue).await);
    }
    messages
}

/// The messages of a queue from a place on, as a consumer gets them, checked on the way: the
/// places follow each other and the records stand where they say.
pub(crate) async fn read_from(
    store: &Store,
    queue: &QueueHandle,
    from: QueueOffset,
) -> Vec<(Place, Taken)> {
    let mut messages = Vec::new();
    let mut from = from;
    loop {
        let filter = |_| true;
        let (count_max, bytes_max) = (1 + messages.len() as u64 % 40, 20_000);
        let request = GetRequest { queue, from, count_max, bytes_max, filter: &filter };
        let result = store.get(&request).await;
        match result.status {
            GetStatus::Found => {}
            GetStatus::OffsetOverflowOne | GetStatus::NoMessageInQueue => return messages,
            other => panic!("{queue:?} at {from}: {other:?}"),
        }
        let mut count = 0;
        for slice in &result.messages {
            for record in views(slice) {
                let (view, bytes) = record.expect("a slice is made of records");
                assert!(view.crc_holds());
                assert_eq!((view.topic, view.queue_id), (queue.topic(), queue.queue_id()));
                assert_eq!(view.queue_offset.0, from.0 + count, "places follow each other");
                let physical = view.physical_offset.0;
                let end = physical + bytes.len() as u64;
                let taken = Taken { physical, end, body: Bytes::copy_from_slice(view.body) };
                messages.push((place(queue, view.queue_offset), taken));
                count += 1;
            }
        }
        assert_eq!(count, result.count);
        assert_eq!(result.next_begin.0, from.0 + count);
        from = result.next_begin;
    }
}
