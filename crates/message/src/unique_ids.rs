//! The ids that a client gives its messages (property `UNIQ_KEY`).

use std::net::IpAddr;
use std::sync::atomic::{AtomicU16, Ordering};

const DAY_MS: u64 = 86_400_000;

/// Makes ids for one client: address, process and a random number, then the time since the month
/// began and a counter, in hexadecimal capitals (32 characters, 56 with an IPv6 address).
///
/// Two ids differ as long as one client makes fewer than 65 536 within a millisecond, also when
/// the clock is set back.
#[derive(Debug)]
pub struct UniqueIds {
    prefix: String,
    counter: AtomicU16,
}

impl UniqueIds {
    /// The ids of the client at `ip` in process `pid`. `random` tells two clients of one process
    /// apart.
    pub fn new(ip: IpAddr, pid: u32, random: u32) -> Self {
        let mut prefix = match ip {
            IpAddr::V4(ip) => hex(&ip.octets()),
            IpAddr::V6(ip) => hex(&ip.octets()),
        };
        prefix.push_str(&hex(&(pid as u16).to_be_bytes()));
        prefix.push_str(&hex(&random.to_be_bytes()));
        Self { prefix, counter: AtomicU16::new(0) }
    }

    /// The next id. `now_ms` is the wall clock, in ms since 1970.
    pub fn next_id(&self, now_ms: u64) -> String {
        let since = (now_ms - month_start_ms(now_ms)) as u32;
        let count = self.counter.fetch_add(1, Ordering::Relaxed);
        format!("{}{since:08X}{count:04X}", self.prefix)
    }
}

/// When the month of `now_ms` began, in UTC.
fn month_start_ms(now_ms: u64) -> u64 {
    let days = now_ms / DAY_MS;
    // Days since 1 March of a year 0, in eras of 400 years, so that the leap day is a year's last.
    let day_of_era = (days + 719_468) % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5;
    // Only the first weeks of 1970 could lie before their month: they begin it.
    days.saturating_sub(day_of_month) * DAY_MS
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_month_is_that_of_the_calendar() {
        // 2026-11-20T10:00:00Z lies 19 days and 10 hours into its month.
        assert_eq!(1_795_168_800_000 - month_start_ms(1_795_168_800_000), 19 * DAY_MS + 36_000_000);
        // 2024-02-29 and 2024-03-01.
        assert_eq!(month_start_ms(1_709_164_800_000), 1_706_745_600_000);
        assert_eq!(month_start_ms(1_709_251_200_000), 1_709_251_200_000);
        assert_eq!(month_start_ms(5), 0);
    }

    #[test]
    fn an_id_is_laid_out_as_the_java_clients_is() {
        let ids = UniqueIds::new("192.0.0.2".parse().unwrap(), 0x1_0267, 0xe45f_fd2b);
        assert_eq!(ids.next_id(DAY_MS + 1), "C00000020267E45FFD2B05265C010000".to_owned());
        let after = ids.next_id(DAY_MS + 1);
        assert!(after.ends_with("0001") && after.len() == 32);
        let six = UniqueIds::new("::1".parse().unwrap(), 1, 2);
        assert_eq!(six.next_id(0).len(), 56);
    }

    #[test]
    fn ids_differ_within_a_millisecond_and_when_the_clock_is_set_back() {
        let ids = UniqueIds::new("127.0.0.1".parse().unwrap(), 1, 2);
        let made: BTreeSet<String> =
            (0..60_000).map(|number| ids.next_id(5_000 - number % 2)).collect();
        assert_eq!(made.len(), 60_000);
    }
}
