//! From RocketMQ's keys to what a broker is told.

use broker::BrokerConfig;
use store::{FlushMode, HoursError, PoolConfig, Retention, StoreConfig};

use crate::config::{ConfigError, Settings};
use crate::machine;

/// What the command line says above the settings.
pub(crate) struct Place {
    /// `HOST:PORT`, when it was given.
    pub(crate) listen: Option<String>,
    /// The host to listen on when only a port is known.
    pub(crate) host_default: &'static str,
    /// The name servers to register with.
    pub(crate) namesrv: Vec<String>,
}

/// Bytes of a ConsumeQueue's entry; its files are sized in bytes and made of whole entries.
const QUEUE_ENTRY_LEN: u64 = 20;

/// The broker that the settings describe. Its store is the root of its disk.
pub(crate) fn broker_config(
    settings: &Settings,
    place: Place,
) -> Result<BrokerConfig, ConfigError> {
    let name = match settings.text("brokerName") {
        name if name.is_empty() => machine::host_name(),
        name => name,
    };
    let port = settings.number("listenPort");
    let listen = place.listen.unwrap_or_else(|| format!("{}:{port}", place.host_default));
    Ok(BrokerConfig {
        cluster: settings.text("brokerClusterName"),
        id: id(settings)?,
        advertise: advertise(settings, &listen),
        listen,
        namesrv: place.namesrv,
        auto_create_topic: settings.flag("autoCreateTopicEnable"),
        auto_create_group: settings.flag("autoCreateSubscriptionGroup"),
        default_topic_queue_nums: small(settings, "defaultTopicQueueNums"),
        permission: small(settings, "brokerPermission"),
        region: settings.text("regionId"),
        trace_on: settings.flag("traceOn"),
        long_polling: settings.flag("longPollingEnable"),
        short_polling_ms: settings.number("shortPollingTimeMills"),
        notify_consumer_ids_changed: settings.flag("notifyConsumerIdsChangedEnable"),
        sync_flush_timeout_ms: settings.number("syncFlushTimeout"),
        flush_consumer_offset_interval_ms: settings.number("flushConsumerOffsetInterval"),
        register_interval_ms: settings.number("registerNameServerPeriod"),
        register_timeout_ms: settings.number("registerBrokerTimeoutMills"),
        body_size_max: count(settings, "maxMessageSize"),
        query_count_max: count(settings, "maxMsgsNumBatch"),
        query_count_default: count(settings, "defaultQueryMaxNum"),
        pull_count_max: small(settings, "maxTransferCountOnMessageInMemory"),
        pull_bytes_max: small(settings, "maxTransferBytesOnMessageInMemory"),
        sends_in_flight_max: count(settings, "sendThreadPoolQueueCapacity"),
        pulls_in_flight_max: count(settings, "pullThreadPoolQueueCapacity"),
        ..BrokerConfig::new(&name, store_config(settings)?)
    })
}

fn store_config(settings: &Settings) -> Result<StoreConfig, ConfigError> {
    Ok(StoreConfig {
        root: String::new(),
        segment_size: settings.number("mappedFileSizeCommitLog"),
        queue_segment_entries: settings
            .number("mappedFileSizeConsumeQueue")
            .div_ceil(QUEUE_ENTRY_LEN),
        index_enabled: settings.flag("messageIndexEnable"),
        index_slots: small(settings, "maxHashSlotNum"),
        index_entries: small(settings, "maxIndexNum"),
        flush: match settings.text("flushDiskType").as_str() {
            "SYNC_FLUSH" => FlushMode::Sync,
            _ => FlushMode::Async,
        },
        flush_interval_ms: settings.number("flushIntervalCommitLog"),
        flush_pages_least: settings.number("flushCommitLogLeastPages"),
        flush_thorough_ms: settings.number("flushCommitLogThoroughInterval"),
        queue_flush_interval_ms: settings.number("flushIntervalConsumeQueue"),
        disk_read_count_max: settings.number("maxTransferCountOnMessageInDisk"),
        disk_read_bytes_max: settings.number("maxTransferBytesOnMessageInDisk"),
        queue_files_open_max: settings.number("consumeQueueFilesOpenMax"),
        queue_syncs_max: settings.number("consumeQueueSyncsMax"),
        unflushed_bytes_max: settings.number("unflushedBytesMax"),
        cold_reads_max: count(settings, "coldReadsMax"),
        cold_read_bytes_per_s_max: settings.number("coldReadBytesPerSecondMax"),
        message_size_max: settings.number("maxMessageSize"),
        retention: retention(settings)?,
        pool: settings.flag("transientStorePoolEnable").then(|| pool_config(settings)),
        warm: settings.flag("warmMapedFileEnable"),
        lock_held_ms_max: settings.number("osPageCacheBusyTimeOutMills"),
        ..StoreConfig::default()
    })
}

fn retention(settings: &Settings) -> Result<Retention, ConfigError> {
    const HOUR_MS: u64 = 3_600_000;
    let hours = settings.text("deleteWhen").parse();
    Ok(Retention {
        reserved_ms: settings.number("fileReservedTime") * HOUR_MS,
        hours: hours.map_err(|error: HoursError| {
            settings.refuse("deleteWhen", &format!("expected hours such as 04;16: {error}"))
        })?,
        disk_used_max_percent: settings.number("diskMaxUsedSpaceRatio"),
        disk_forcible_percent: percent(settings, "diskSpaceCleanForciblyRatio")?,
        disk_warning_percent: percent(settings, "diskSpaceWarningLevelRatio")?,
        forcible: settings.flag("cleanFileForciblyEnable"),
        delete_pause_ms: settings.number("deleteCommitLogFilesInterval"),
        interval_ms: settings.number("cleanResourceInterval"),
    })
}

fn pool_config(settings: &Settings) -> PoolConfig {
    PoolConfig {
        buffers: settings.number("transientStorePoolSize"),
        commit_interval_ms: settings.number("commitIntervalCommitLog"),
        commit_thorough_ms: settings.number("commitCommitLogThoroughInterval"),
        commit_pages_least: settings.number("commitCommitLogLeastPages"),
    }
}

/// A ratio such as `0.85`, in percent.
fn percent(settings: &Settings, name: &str) -> Result<u64, ConfigError> {
    match settings.text(name).parse::<f64>() {
        Ok(ratio) if ratio > 0.0 && ratio <= 1.0 => Ok((ratio * 100.0).round() as u64),
        _ => Err(settings.refuse(name, "expected a ratio above 0, at most 1, such as 0.85")),
    }
}

/// The id of a master. A slave would have another, and there are none yet.
fn id(settings: &Settings) -> Result<i64, ConfigError> {
    match settings.number("brokerId") {
        0 => Ok(0),
        _ => {
            Err(settings.refuse("brokerId", "expected 0, the master; slaves are not supported yet"))
        }
    }
}

/// What routes name: `brokerIP1`, or, when the broker listens on every address, the one by which
/// others most likely reach it.
fn advertise(settings: &Settings, listen: &str) -> Option<String> {
    let (host, port) = listen.rsplit_once(':')?;
    let ip = match settings.text("brokerIP1") {
        ip if !ip.is_empty() => ip,
        _ if matches!(host, "0.0.0.0" | "[::]" | "") => machine::address().to_string(),
        _ => return None,
    };
    Some(format!("{ip}:{port}"))
}

/// A number that its key's bounds, or common sense, keep below 2³².
fn small(settings: &Settings, name: &str) -> u32 {
    u32::try_from(settings.number(name)).unwrap_or(u32::MAX)
}

fn count(settings: &Settings, name: &str) -> usize {
    usize::try_from(settings.number(name)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Role, load};

    fn config(listen: Option<&str>, set: &[&str]) -> Result<BrokerConfig, ConfigError> {
        let set: Vec<String> = set.iter().map(ToString::to_string).collect();
        let settings = load(Role::Broker, None, &set)?;
        let listen = listen.map(str::to_owned);
        let place = Place { listen, host_default: "0.0.0.0", namesrv: vec!["a:1".to_owned()] };
        broker_config(&settings, place)
    }

    #[test]
    fn without_settings_a_broker_is_as_rocketmq_has_it() {
        let (config, plain) =
            (config(None, &[]).unwrap(), BrokerConfig::new("any", StoreConfig::default()));
        assert_eq!(config.listen, "0.0.0.0:10911");
        assert_eq!(config.cluster, plain.cluster);
        assert_eq!(config.body_size_max, plain.body_size_max);
        assert_eq!(config.pull_bytes_max, plain.pull_bytes_max);
        assert_eq!(config.store.segment_size, plain.store.segment_size);
        assert_eq!(config.store.queue_segment_entries, plain.store.queue_segment_entries);
        assert_eq!(config.store.root, "");
        assert!(!config.name.is_empty());
    }

    #[test]
    fn settings_reach_the_broker_and_its_store() {
        let set = ["brokerName=b", "flushDiskType=SYNC_FLUSH", "maxMessageSize=1000"];
        let config = config(None, &set).unwrap();
        assert_eq!(config.name, "b");
        assert_eq!(config.store.flush, FlushMode::Sync);
        assert_eq!((config.body_size_max, config.store.message_size_max), (1000, 1000));
    }

    #[test]
    fn a_pool_is_there_if_it_is_enabled_with_rocketmqs_numbers() {
        assert_eq!(config(None, &[]).unwrap().store.pool, None);
        let set = ["transientStorePoolEnable=true", "commitIntervalCommitLog=50"];
        let config = config(None, &set).unwrap();
        let pool = PoolConfig { commit_interval_ms: 50, ..PoolConfig::default() };
        assert_eq!(config.store.pool, Some(pool));
    }

    #[test]
    fn a_pool_of_one_buffer_is_refused() {
        let error = config(None, &["transientStorePoolSize=1"]).unwrap_err();
        assert!(error.to_string().contains("transientStorePoolSize"), "{error}");
    }

    #[test]
    fn the_advertised_address_is_one_that_can_be_dialled() {
        let advertised = |listen, set: &[&str]| config(listen, set).unwrap().advertise;
        assert_eq!(advertised(Some("127.0.0.1:7"), &[]), None);
        let set = ["brokerIP1=10.1.2.3", "listenPort=7"];
        assert_eq!(advertised(None, &set), Some("10.1.2.3:7".to_owned()));
        let guessed = advertised(Some("0.0.0.0:7"), &[]).unwrap();
        assert!(guessed.ends_with(":7") && !guessed.starts_with("0.0.0.0"), "{guessed}");
    }

    #[test]
    fn a_slave_is_refused() {
        let error = config(None, &["brokerId=1"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "--set: brokerId: expected 0, the master; slaves are not supported yet"
        );
    }
}
