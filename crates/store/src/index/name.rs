//! Names of IndexFiles: the local time of creation as `yyyyMMddHHmmssSSS`, held as a number.
//!
//! RocketMQ sorts the files by name, so a clock that steps back (or daylight saving that ends)
//! would put a new file before an older one. Here a name is always greater than the last.

/// The digits of a name.
const DIGITS: usize = 17;
/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;
/// The last moment with a year of four digits: 9999-12-31T23:59:59.999.
const LOCAL_MS_MAX: u64 = 253_402_300_799_999;

/// The name of a file made at `local_ms`, behind the file called `last` (0 for none).
pub(super) fn next(local_ms: u64, last: u64) -> u64 {
    let now = of_time(local_ms);
    if now > last {
        return now;
    }
    match to_time(last) {
        Some(time) => of_time(time + 1).max(last + 1),
        // Not the name of a moment; somebody else made it up.
        None => last + 1,
    }
}

/// The file name of a number.
pub(super) fn text(name: u64) -> String {
    format!("{name:0DIGITS$}")
}

/// The number of a file name, if it is one.
pub(super) fn parse(text: &str) -> Option<u64> {
    let digits = text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// The name of a moment of local time.
fn of_time(local_ms: u64) -> u64 {
    let local_ms = local_ms.min(LOCAL_MS_MAX);
    let (year, month, day) = civil(local_ms / DAY_MS);
    let time = local_ms % DAY_MS;
    let (seconds, ms) = (time / 1000, time % 1000);
    let clock = [seconds / 3600, seconds / 60 % 60, seconds % 60];
    let pairs = [month, day, clock[0], clock[1], clock[2]];
    pairs.iter().fold(year, |name, pair| name * 100 + pair) * 1000 + ms
}

/// The moment of local time that a name stands for, if it stands for one.
fn to_time(name: u64) -> Option<u64> {
    let (ms, rest) = (name % 1000, name / 1000);
    let pair = |at: u32| rest / 100u64.pow(at) % 100;
    let [second, minute, hour, day, month] = [0, 1, 2, 3, 4].map(pair);
    let days = days(rest / 10_000_000_000, month, day)?;
    let time = days * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000 + ms;
    // Hours beyond 23 and days beyond the month's end come back as another name.
    (of_time(time) == name).then_some(time)
}

/// Year, month and day of so many days since 1970-01-01 in the Gregorian calendar. The year is
/// thought to begin in March, so that the leap day is its last.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

/// The days from 1970-01-01 to a date; `None` before it or when there is no such month.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1..=12).contains(&month) {
        return None;
    }
    let year = if month <= 2 { year.checked_sub(1)? } else { year };
    let march_month = if month > 2 { month - 3 } else { month + 9 };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * march_month + 2) / 5 + day.checked_sub(1)?;
    (era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year).checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_local_time_of_its_making() {
        assert_eq!(next(0, 0), 19_700_101_000_000_000);
        assert_eq!(next(1_709_210_096_789, 0), 20_240_229_123_456_789, "a leap day");
        assert_eq!(text(next(951_827_696_007, 0)), "20000229123456007");
        assert_eq!(parse("20000229123456007"), Some(20_000_229_123_456_007));
        for foreign in ["2000022912345600", "2000022912345600x", "+0000229123456007", ""] {
            assert_eq!(parse(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_clock_that_steps_back_never_makes_an_older_name() {
        let last = next(1_709_251_199_999, 0);
        assert_eq!(last, 20_240_229_235_959_999);
        let after = next(1_709_251_199_999 - 3_600_000, last);
        assert_eq!(after, 20_240_301_000_000_000, "a millisecond later, over the day's end");
        assert_eq!(next(0, after), after + 1);
        assert_eq!(next(0, 20_249_999_999_999_999), 20_250_000_000_000_000, "no moment at all");
    }

    #[test]
    fn every_day_of_four_centuries_reads_back() {
        for day in 0..146_097 {
            let name = of_time(day * DAY_MS + 86_399_999);
            assert_eq!(to_time(name), Some(day * DAY_MS + 86_399_999), "{name}");
        }
    }
}
