//! Short histories and small disks for the properties' own tests.
//!
//! One broker `b` on node `n`, one topic `t`, one queue 0. Every record has the same length, so the
//! n-th stands at n times [`RECORD_LEN`]. The disks are written with the product's own encoder:
//! that the decoder of this package, which knows nothing of it, reads them back is a test of both.

use bytes::Bytes;
use message::record::{Fields, body_crc};
use message::{Message, MessageQueue, PhysicalOffset, QueueOffset, SysFlag, message_id, tags_code};

use crate::digest::Digest;
use crate::disk::{DiskImage, NodeDisk};
use crate::history::{Kind, Outcome, Placed, Pull, PullStatus, Seen, What};
use crate::identity::Identity;
use crate::invariant::Invariant;
use crate::ledger::{Deletion, Fault};
use crate::promise::{Broker, Cluster, Flush};
use crate::watch::Watch;
use crate::world::{Recovery, RecoveryEnd};

/// H of the broker.
pub(crate) const HORIZON_MS: u64 = 2_000;
/// The length of each record.
pub(crate) const RECORD_LEN: u64 = 91 + 2 + 1 + 11 + 6 + 1 + 6;
/// The length of a CommitLog file: five records and a blank.
pub(crate) const SEGMENT_LEN: u64 = 5 * RECORD_LEN + 40;
/// The path of the first CommitLog file.
pub(crate) const LOG: &str = "store/commitlog/00000000000000000000";
/// The path of the first file of the queue.
pub(crate) const QUEUE: &str = "store/consumequeue/t/0/00000000000000000000";

/// A message of the run; each number of its identity has one digit.
pub(crate) fn message(id: Identity) -> Message {
    id.stamp(Message::new("t", format!("m{}", id.op))).with_tags("x")
}

/// The queue of the run.
pub(crate) fn queue() -> MessageQueue {
    MessageQueue::new("t", "b", 0)
}

/// Where the n-th record of the log stands: five to a file.
pub(crate) fn address(n: u64) -> u64 {
    n / 5 * SEGMENT_LEN + n % 5 * RECORD_LEN
}

/// What a client sees of the message at its offset.
pub(crate) fn seen(id: Identity, offset: u64) -> Seen {
    Seen {
        queue: queue(),
        offset: QueueOffset(offset),
        id: Some(id),
        digest: Digest::of(&message(id)),
        store_timestamp: 7,
        address: PhysicalOffset(address(offset)),
    }
}

/// A pull of the queue, answered with nothing found at what it says is the end.
pub(crate) fn pull(from: u64) -> Pull {
    let from = QueueOffset(from);
    Pull {
        started_ms: 0,
        queue: queue(),
        from,
        hold_ms: 0,
        status: PullStatus::NotFound,
        next: from,
        min: QueueOffset(0),
        max: from,
        seen: vec![],
    }
}

/// Where an answer says that a message stands.
pub(crate) fn placed(offset: u64) -> Placed {
    let host = "127.0.0.1:10911".parse().expect("an address");
    let offset_message_id = message_id::encode(host, PhysicalOffset(address(offset)));
    Placed { queue: queue(), offset: QueueOffset(offset), offset_message_id }
}

/// The disk of a node whose log holds these messages, the n-th at offset n, all dispatched.
pub(crate) fn disk(ids: &[Identity]) -> NodeDisk {
    NodeDisk::new("n", image(ids))
}

/// The files of [`disk`].
pub(crate) fn image(ids: &[Identity]) -> DiskImage {
    let segments = ids.len() / 5 + 1;
    let mut log = vec![0; segments * SEGMENT_LEN as usize];
    let mut queue = vec![0; (ids.len() + 20) * 20];
    for (n, id) in ids.iter().enumerate() {
        let at = address(n as u64) as usize;
        let record = record(*id, n as u64, at as u64);
        log[at..at + record.len()].copy_from_slice(&record);
        let entry = [
            &(at as u64).to_be_bytes()[..],
            &(record.len() as u32).to_be_bytes(),
            &tags_code("x").to_be_bytes(),
        ];
        queue[n * 20..n * 20 + 20].copy_from_slice(&entry.concat());
        if n % 5 == 4 {
            let blank = [&40u32.to_be_bytes()[..], &0xCBD4_3194u32.to_be_bytes()].concat();
            log[at + record.len()..][..8].copy_from_slice(&blank);
        }
    }
    let mut image = DiskImage::new();
    for (n, segment) in log.chunks(SEGMENT_LEN as usize).enumerate() {
        let path = format!("store/commitlog/{:020}", n as u64 * SEGMENT_LEN);
        image.insert(path, Bytes::copy_from_slice(segment));
    }
    image.insert(QUEUE.to_owned(), queue.into());
    image
}

/// The page of a checkpoint that vouches up to there, with that time.
pub(crate) fn checkpoint(durable_to: u64, time_ms: u64) -> Vec<u8> {
    let mut page = vec![0; 4096];
    page[..8].copy_from_slice(&time_ms.to_be_bytes());
    page[8..16].copy_from_slice(&time_ms.to_be_bytes());
    page[64..72].copy_from_slice(b"hotfire1");
    page[72..80].copy_from_slice(&durable_to.to_be_bytes());
    let crc = crc32(&page[..88]);
    page[88..92].copy_from_slice(&crc.to_be_bytes());
    page
}

/// CRC-32, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

/// The same files with one changed; `change` gets its bytes.
pub(crate) fn changed(
    mut image: DiskImage,
    path: &str,
    change: impl FnOnce(&mut Vec<u8>),
) -> NodeDisk {
    let mut bytes = image.get(path).map(|bytes| bytes.to_vec()).unwrap_or_default();
    change(&mut bytes);
    image.insert(path.to_owned(), bytes.into());
    NodeDisk::new("n", image)
}

/// The bytes of a record.
pub(crate) fn record(id: Identity, offset: u64, address: u64) -> Vec<u8> {
    let message = message(id);
    let properties = message.properties.encode();
    let record = Fields {
        queue_id: 0,
        flag: 0,
        queue_offset: QueueOffset(offset),
        physical_offset: PhysicalOffset(address),
        sys_flag: SysFlag(0),
        born_timestamp: 5,
        born_host: "127.0.0.1:4000".parse().expect("an address"),
        store_timestamp: 7,
        store_host: "127.0.0.1:10911".parse().expect("an address"),
        reconsume_times: 0,
        prepared_transaction_offset: PhysicalOffset(0),
        body_crc: body_crc(&message.body),
        body: &message.body,
        topic: "t",
        properties: &[properties.as_bytes()],
    }
    .encode();
    assert_eq!(record.len() as u64, RECORD_LEN);
    record
}

/// C of a run's broker with a pool.
pub(crate) const COMMIT_MS: u64 = 300;

/// A run with one property that watches it.
pub(crate) struct Run {
    watch: Watch,
    now_ms: u64,
}

impl Run {
    /// Starts at 1,000 ms.
    pub(crate) fn new(invariant: impl Invariant + 'static, flush: Flush) -> Self {
        Self::with(invariant, flush, None)
    }

    /// The same under async flush with a pool of private buffers.
    pub(crate) fn pooled(invariant: impl Invariant + 'static) -> Self {
        Self::with(invariant, Flush::Async, Some(COMMIT_MS))
    }

    fn with(invariant: impl Invariant + 'static, flush: Flush, commit_ms: Option<u64>) -> Self {
        let broker = Broker { node: "n".into(), flush, horizon_ms: HORIZON_MS, commit_ms };
        let cluster = Cluster::from([("b".into(), broker)]);
        Self { watch: Watch::new(cluster, vec![Box::new(invariant)]), now_ms: 1_000 }
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, ms: u64) {
        self.now_ms += ms;
    }

    /// What time it is.
    pub(crate) fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Notes an event, a millisecond after the one before.
    pub(crate) fn event(&mut self, what: What) -> usize {
        self.now_ms += 1;
        self.watch.record(self.now_ms, what)
    }

    /// Notes events of one moment.
    pub(crate) fn events(&mut self, all: impl Iterator<Item = What>) {
        self.now_ms += 1;
        for what in all {
            self.watch.record(self.now_ms, what);
        }
    }

    /// Notes a fault, a millisecond after the event before.
    pub(crate) fn fault(&mut self, fault: Fault) {
        self.now_ms += 1;
        self.watch.fault(self.now_ms, "n", fault);
    }

    /// Begins to send.
    pub(crate) fn begin(&mut self, op: u32) -> Identity {
        let id = Identity::new(1, op, 0);
        self.event(What::send_started(&message(id), Kind::Plain));
        id
    }

    /// Ends a send.
    pub(crate) fn end(&mut self, id: Identity, outcome: Outcome) -> usize {
        self.event(What::SendEnded { id, outcome })
    }

    /// Sends, and is answered `OK` with this offset.
    pub(crate) fn send(&mut self, op: u32, offset: u64) -> Identity {
        let id = self.begin(op);
        self.end(id, Outcome::Ok(placed(offset)));
        id
    }

    /// Delivers to the one consumer of group `g`.
    pub(crate) fn deliver(&mut self, seen: Seen) -> usize {
        let (group, consumer) = ("g".to_owned(), "c".to_owned());
        self.event(What::Delivered { group, consumer, in_order: true, seen })
    }

    /// A fault, and a start that ends well.
    pub(crate) fn restart(&mut self, fault: Fault, before: NodeDisk, after: NodeDisk) {
        self.recover(fault, Recovery { end: RecoveryEnd::Started, before, after, again: None });
    }

    /// A fault, and a start.
    pub(crate) fn recover(&mut self, fault: Fault, recovery: Recovery) {
        self.fault(fault);
        self.fault(Fault::Started);
        self.watch.recovered(&recovery);
    }

    /// The end of the run.
    pub(crate) fn quiet(&mut self, disks: &[NodeDisk]) {
        self.watch.quiet(disks);
    }

    /// Nothing was found, and something was checked.
    #[track_caller]
    pub(crate) fn assert_green(&self) {
        assert_eq!(self.watch.violations(), []);
        assert!(self.watch.found().all(|found| found.checks() > 0), "nothing was checked");
    }

    /// Nothing was found; perhaps nothing was owed either.
    #[track_caller]
    pub(crate) fn assert_no_violation(&self) {
        assert_eq!(self.watch.violations(), []);
    }

    /// Exactly one violation was found, and these events show it.
    #[track_caller]
    pub(crate) fn assert_red(&self, events: &[usize]) {
        let violations = self.watch.violations();
        let found: Vec<String> = violations.iter().map(ToString::to_string).collect();
        assert_eq!(violations.len(), 1, "{found:#?}");
        assert_eq!(violations[0].events, events, "{found:#?}");
    }
}

mod tests {
    use super::*;
    use crate::disk::Stop;

    #[test]
    fn a_disk_that_the_product_wrote_is_read_back() {
        let ids: Vec<Identity> = (0..7).map(|op| Identity::new(1, op, 0)).collect();
        let disk = disk(&ids);
        assert_eq!(disk.log.stop, Stop::Clean);
        assert_eq!(disk.log.residue, None);
        assert_eq!(disk.log.end, address(7));
        assert_eq!(disk.log.records.len(), 7);
        for (n, record) in disk.log.records.iter().enumerate() {
            assert!(record.is_sound() && record.is_queued());
            assert_eq!((record.address, record.queue_offset), (address(n as u64), n as u64));
            assert_eq!(record.id, Some(ids[n]));
            assert_eq!(record.digest, Some(Digest::of(&message(ids[n]))));
            assert_eq!((record.topic.as_str(), record.store_timestamp), ("t", 7));
        }
        let queue = &disk.queues[&("t".to_owned(), 0)];
        assert_eq!((queue.max(), queue.damage.as_deref()), (7, None));
        assert_eq!(disk.marks, ids.into_iter().collect());
    }

    #[test]
    fn damage_ends_the_log_and_is_named() {
        let ids = [Identity::new(1, 0, 0), Identity::new(1, 1, 0)];
        let torn = changed(image(&ids), LOG, |bytes| bytes[RECORD_LEN as usize + 84] = 0xff);
        assert_eq!(torn.log.records.len(), 1);
        assert!(matches!(&torn.log.stop, Stop::Damaged { .. }));
        assert_eq!(torn.log.residue, Some(RECORD_LEN + 3));
        let flipped = changed(image(&ids), LOG, |bytes| bytes[88] ^= 1);
        assert_eq!(flipped.log.records.len(), 2);
        assert_eq!(flipped.log.sound_prefix(), []);
    }
}

/// The deletion of a file that is old enough, from the head, on a roomy disk.
pub(crate) fn deletion() -> Deletion {
    Deletion {
        base: 0,
        end: 1_000,
        newest_ms: Some(1),
        at_ms: 1_000_000,
        kept_ms: 60_000,
        used_percent: 10,
        forcible_percent: 85,
        older_left: false,
        was_last: false,
    }
}
