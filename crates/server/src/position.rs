//! Where reading a topic begins.

use std::str::FromStr;

/// A place in every queue of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    /// The oldest message.
    First,
    /// Behind the newest message.
    Last,
    /// The first message stored at or after this time, in ms since 1970.
    Time(u64),
}

impl FromStr for Position {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "first" => Ok(Position::First),
            "last" => Ok(Position::Last),
            _ => text.parse().ok().or_else(|| utc_ms(text)).map(Position::Time).ok_or_else(|| {
                "expected first, last, milliseconds since 1970, or a time in UTC such as \
                 2026-11-20T09:30:00Z"
                    .to_owned()
            }),
        }
    }
}

/// The milliseconds since 1970 of `YYYY-MM-DDThh:mm:ssZ`.
fn utc_ms(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let fits = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !fits {
        return None;
    }
    let seconds = ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    Some(seconds * 1000)
}

fn numbers(text: &str, between: char) -> Option<[u64; 3]> {
    let numbers: Option<Vec<u64>> = text.split(between).map(|part| part.parse().ok()).collect();
    numbers?.try_into().ok()
}

/// Days of the Gregorian calendar. Years begin in March here, so that the leap day comes last.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let in_year = (153 * month + 2) / 5 + day - 1;
    365 * year + year / 4 - year / 100 + year / 400 + in_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_words_milliseconds_or_utc() {
        assert_eq!("first".parse(), Ok(Position::First));
        assert_eq!("last".parse(), Ok(Position::Last));
        assert_eq!("1700000000000".parse(), Ok(Position::Time(1_700_000_000_000)));
        for (text, ms) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:00:00Z", 951_825_600_000),
            ("2023-11-14T22:13:20Z", 1_700_000_000_000),
        ] {
            assert_eq!(text.parse(), Ok(Position::Time(ms)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "yesterday", "-1", "2026-13-01T00:00:00Z", "2026-11-20 09:30", "1-2T3Z"] {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
    }
}
