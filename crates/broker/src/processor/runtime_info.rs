//! GET_BROKER_RUNTIME_INFO (28): figures about the running broker, as texts. Only what is known is
//! said; no figure is made up to please a tool.

use std::collections::BTreeMap;

use protocol::RemotingCommand;
use protocol::body::KvTable;
use remoting::Reply;
use runtime::DiskSpace;

use super::answer::success;
use crate::carried::level_range;
use crate::state::State;

/// Lists them.
pub(crate) fn serve(state: &State, request: &RemotingCommand) -> Reply {
    let store = &state.store;
    // Unknown space is no figure; its line is empty.
    let space = store.disk_space().ok().filter(|space| space.total > 0);
    let figures: [(&str, String); 18] = [
        ("brokerVersionDesc", format!("hotfire {}", env!("CARGO_PKG_VERSION"))),
        ("brokerVersion", protocol::VERSION.to_string()),
        ("commitLogMinOffset", store.min_offset().to_string()),
        ("commitLogMaxOffset", store.appended().reached().to_string()),
        ("commitLogFlushedOffset", store.flushed().reached().to_string()),
        ("dispatchBehindBytes", dispatch_behind(state).to_string()),
        ("commitLogDirCapacity", space.map_or_else(String::new, capacity)),
        ("commitLogDiskRatio", space.map_or_else(String::new, ratio)),
        ("consumeQueueDiskRatio", space.map_or_else(String::new, ratio)),
        ("diskFull", store.disk_full().unwrap_or_default().to_owned()),
        ("storePoisoned", store.poisoned().map_or(String::new(), |closed| closed.to_string())),
        ("sendThreadPoolQueueSize", state.sends.inside().to_string()),
        ("sendThreadPoolQueueCapacity", state.config.sends_in_flight_max.to_string()),
        ("pullThreadPoolQueueSize", state.pulls.inside().to_string()),
        ("pullThreadPoolQueueCapacity", state.config.pulls_in_flight_max.to_string()),
        ("connections", state.members.connection_count().to_string()),
        ("consumerGroups", state.members.consumers().group_count().to_string()),
        ("producerGroups", state.members.producers().group_count().to_string()),
    ];
    let levels = state.carried.delays().offset_table.iter().map(|(level, progress)| {
        let end = level_range(store, *level).end;
        (format!("scheduleMessageOffset_{level}"), format!("{progress},{end}"))
    });
    let figures = figures.into_iter().map(|(name, value)| (name.to_owned(), value));
    let table: BTreeMap<String, String> = figures.chain(levels).collect();
    success(request).with_body(KvTable { table }.encode()).into()
}

/// How many bytes of the log are promised and not in their queues yet.
fn dispatch_behind(state: &State) -> u64 {
    let promised = state.store.promised().reached();
    promised.saturating_sub(state.store.dispatched().reached())
}

/// RocketMQ's words: `Total : 252.0 GiB, Free : 74.1 GiB.`
fn capacity(space: DiskSpace) -> String {
    format!("Total : {}, Free : {}.", readable(space.total), readable(space.available))
}

/// How much of the disk is used, from 0 to 1.
fn ratio(space: DiskSpace) -> String {
    let used = space.total.saturating_sub(space.available);
    format!("{:.2}", used as f64 / space.total as f64)
}

/// Bytes for people.
fn readable(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let (mut amount, mut unit) = (bytes as f64, 0);
    while amount >= 1024.0 && unit + 1 < UNITS.len() {
        (amount, unit) = (amount / 1024.0, unit + 1);
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{amount:.1} {}", UNITS[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_is_written_as_rocketmq_writes_it() {
        let space = DiskSpace { total: 252 << 30, available: (74 << 30) + (103 << 20) };
        assert_eq!(capacity(space), "Total : 252.0 GiB, Free : 74.1 GiB.");
        assert_eq!(ratio(DiskSpace { total: 100, available: 81 }), "0.19");
        assert_eq!(readable(1_023), "1023 B");
    }
}
