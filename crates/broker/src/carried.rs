//! `delayOffset.json` and `consumerFilter.json`: progress and filters that RocketMQ left here.
//!
//! This broker delivers no delayed message and takes no SQL92 filter yet, so both tables are handed
//! on as they were found: a store that goes back to RocketMQ delivers what is due and nothing
//! twice. Read before anything is written: scenario 1. the broker starts; 2. the clock says that
//! the table is to be written, and the empty one that nobody has read into is; 3. at the next start
//! every delayed message of the last days is delivered again (RocketMQ #6881).

use std::io;
use std::ops::Range;

use protocol::body::DelayOffsetSerializeWrapper;
use runtime::Disk;
use store::Store;

use crate::config::BrokerConfig;
use crate::config_file;
use crate::consumer_filters::ConsumerFilters;
use crate::error::StartError;

const DELAYS_FILE: &str = "delayOffset.json";
const FILTERS_FILE: &str = "consumerFilter.json";

/// Both tables, as they were found.
#[derive(Default)]
pub(crate) struct Carried {
    delays: DelayOffsetSerializeWrapper,
    filters: ConsumerFilters,
}

impl Carried {
    /// Reads both; missing ones are empty, unreadable ones an error.
    pub(crate) async fn read(disk: &Disk, config: &BrokerConfig) -> Result<Self, StartError> {
        let delays = config.table_path(DELAYS_FILE);
        let delays = config_file::load(disk, &delays, DelayOffsetSerializeWrapper::decode).await?;
        let filters = config.table_path(FILTERS_FILE);
        let filters = config_file::load(disk, &filters, ConsumerFilters::from_json).await?;
        Ok(Self { delays: delays.unwrap_or_default(), filters: filters.unwrap_or_default() })
    }

    /// Replaces both files by what was read, so that each is whole again, and there; durable when
    /// it returns.
    pub(crate) async fn write(&self, disk: &Disk, config: &BrokerConfig) -> io::Result<()> {
        let delays = self.delays.encode();
        config_file::replace(disk, &config.table_path(DELAYS_FILE), &delays).await?;
        let filters = self.filters.to_json();
        config_file::replace(disk, &config.table_path(FILTERS_FILE), &filters).await
    }

    /// How far the delay levels are.
    pub(crate) fn delays(&self) -> &DelayOffsetSerializeWrapper {
        &self.delays
    }

    /// Says in the log what of a RocketMQ store is kept here and does nothing.
    pub(crate) fn tell_what_rests(&self, store: &Store) {
        let undelivered = self.undelivered(|level| level_range(store, level));
        if undelivered > 0 {
            tracing::warn!(
                undelivered,
                "delayed messages of RocketMQ are kept and not delivered: this broker does not \
                 deliver them yet; let RocketMQ serve this store until they are"
            );
        }
        let filters = self.filters.count();
        if filters > 0 {
            tracing::warn!(
                filters,
                "filters of SQL92 consumers are kept and do nothing: this broker refuses SQL92"
            );
        }
    }

    /// How many messages lie between the progress of the levels and the ends of their queues.
    fn undelivered(&self, range_of: impl Fn(i32) -> Range<i64>) -> i64 {
        let of_level = |level| {
            let progress = self.delays.offset_table.get(&level).copied().unwrap_or(0);
            let range = range_of(level);
            (range.end - progress.max(range.start)).max(0)
        };
        (1..=LEVELS_MAX).map(of_level).sum()
    }
}

/// No broker has more delay levels than its schedule topic has queues for.
const LEVELS_MAX: i32 = 64;

/// The places of a delay level's queue that are stored; none where there is no queue.
pub(crate) fn level_range(store: &Store, level: i32) -> Range<i64> {
    let queue = u32::try_from(level - 1).ok();
    let queue = queue.and_then(|id| store.find_queue(message::topic::SCHEDULE, id));
    queue.map_or(0..0, |queue| queue.min_offset().0 as i64..queue.known_end().0 as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAYS: &str = "{\n\t\"offsetTable\":{1:4,18:7\n\t}\n}";

    #[test]
    fn what_is_beyond_the_progress_is_undelivered_and_a_lost_queue_owes_nothing() {
        let delays = DelayOffsetSerializeWrapper::decode(DELAYS.as_bytes()).expect("it is one");
        let carried = Carried { delays, filters: ConsumerFilters::default() };
        let range = |level| match level {
            1 => 0..6,
            2 => 1..3,
            18 => 0..5,
            _ => 0..0,
        };
        assert_eq!(carried.undelivered(range), 2 + 2);
    }

    /// A disk with these files, and what a start makes of them: the text of the delay levels, or
    /// the error; then the files' names.
    fn started(files: &[(&str, &str)]) -> (Result<String, String>, String) {
        let world = sim::World::new(1);
        let node = world.node("broker");
        world.block_on(async {
            let disk = world.runtime(&node).disk;
            let config = BrokerConfig::new("broker", store::StoreConfig::default());
            disk.create_dir(&config.table_dir()).await.expect("there is room");
            for (name, text) in files {
                let path = config.table_path(name);
                disk.write(&path, text.as_bytes()).await.expect("there is room");
            }
            let carried = match Carried::read(&disk, &config).await {
                Ok(carried) => carried,
                Err(error) => return (Err(error.to_string()), String::new()),
            };
            carried.write(&disk, &config).await.expect("there is room");
            let text = disk.read(&config.table_path(DELAYS_FILE)).await.expect("it was written");
            let names = disk.list(&config.table_dir()).await.expect("it is there");
            let names: Vec<String> = names.into_iter().map(|entry| entry.name).collect();
            (Ok(String::from_utf8_lossy(&text).into_owned()), names.join(" "))
        })
    }

    #[test]
    fn both_tables_are_handed_on_and_are_there_after_a_first_start() {
        let (text, names) = started(&[(DELAYS_FILE, DELAYS)]);
        assert_eq!(text.as_deref(), Ok("{\"offsetTable\":{1:4,18:7}}"));
        assert_eq!(names, "consumerFilter.json delayOffset.json delayOffset.json.bak");
        assert_eq!(started(&[]).0.as_deref(), Ok("{\"offsetTable\":{}}"));
    }

    #[test]
    fn a_damaged_table_gives_way_to_its_last_version_and_is_never_taken_for_an_empty_one() {
        let backup = ("delayOffset.json.bak", DELAYS);
        let (text, names) = started(&[(DELAYS_FILE, "{\"offsetTable\":{1:"), backup]);
        assert_eq!(text.as_deref(), Ok("{\"offsetTable\":{1:4,18:7}}"));
        assert!(names.contains("delayOffset.json.damaged"), "{names}");
        assert_eq!(started(&[backup]).0.as_deref(), Ok("{\"offsetTable\":{1:4,18:7}}"));
        for name in [DELAYS_FILE, FILTERS_FILE] {
            let error = started(&[(name, "\0\0\0")]).0.expect_err("somebody's table is lost");
            assert!(error.contains(name), "{error}");
        }
    }
}
