//! The hours of the day in which expired files are deleted: RocketMQ's `deleteWhen`.

use std::fmt;
use std::str::FromStr;

/// A set of hours of the local day, 0 to 23. Written as RocketMQ does: `04`, or `04;16`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hours(u32);

/// Why a text is no set of hours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no list of hours; write numbers from 00 to 23, separated by a semicolon")]
pub struct HoursError {
    /// As it was given.
    text: String,
}

impl Hours {
    /// Every hour of the day.
    pub const ALL: Self = Self((1 << 24) - 1);

    /// Whether it is time in the hour that local time (UTC time and its offset, in ms) shows.
    pub(crate) fn contains(self, now_ms: u64, utc_offset_ms: i64) -> bool {
        const HOUR_MS: u64 = 3_600_000;
        let local_ms = now_ms.saturating_add_signed(utc_offset_ms);
        self.0 & (1 << (local_ms / HOUR_MS % 24)) != 0
    }
}

impl Default for Hours {
    /// RocketMQ's `04`.
    fn default() -> Self {
        Self(1 << 4)
    }
}

impl FromStr for Hours {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let wrong = || HoursError { text: text.into() };
        let mut hours = 0;
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let hour: u32 = part.parse().map_err(|_| wrong())?;
            hours |= if hour < 24 { 1 << hour } else { return Err(wrong()) };
        }
        if hours == 0 { Err(wrong()) } else { Ok(Self(hours)) }
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hours = (0..24).filter(|hour| self.0 & (1 << hour) != 0);
        let hours: Vec<String> = hours.map(|hour| format!("{hour:02}")).collect();
        to.write_str(&hours.join(";"))
    }
}

impl fmt::Debug for Hours {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 3_600_000;

    #[test]
    fn a_list_of_hours_reads_back_and_others_are_refused() {
        for (text, shown) in [("04", "04"), ("4", "04"), (" 16 ;04;", "04;16"), ("23;0", "00;23")] {
            let hours: Hours = text.parse().expect("it is one");
            assert_eq!(hours.to_string(), shown);
        }
        for wrong in ["", ";", "24", "-1", "four", "04,16"] {
            assert!(wrong.parse::<Hours>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_whole_hour_counts_and_it_is_the_local_one() {
        let four = Hours::default();
        let day = 20_000 * 24 * HOUR_MS;
        assert!(four.contains(day + 4 * HOUR_MS, 0));
        assert!(four.contains(day + 5 * HOUR_MS - 1, 0));
        assert!(!four.contains(day + 5 * HOUR_MS, 0));
        assert!(!four.contains(day + 4 * HOUR_MS - 1, 0));
        let half_past_five = 5 * HOUR_MS as i64 + 1_800_000;
        assert!(four.contains(day - HOUR_MS, half_past_five), "23:00 UTC is 04:30 there");
        assert!(four.contains(day + 9 * HOUR_MS, -5 * HOUR_MS as i64));
        assert!((0..24).all(|hour| Hours::ALL.contains(day + hour * HOUR_MS, 0)));
    }
}
