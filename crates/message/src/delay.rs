//! Delay levels: how long a message of level n waits.

/// The levels a broker has unless it is configured otherwise: level 1 is the first.
pub const STANDARD: &str = "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h";

/// The level of a message's first retry; each further one is a level higher.
pub const FIRST_RETRY_LEVEL: u32 = 3;

/// Delays by level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Levels(Vec<u64>);

/// Why a text names no levels.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{part:?} is no delay; write a number and s, m, h or d, separated by blanks")]
pub struct DelayError {
    /// What could not be read; empty when there is no level at all.
    pub part: String,
}

impl Levels {
    /// Reads a list such as [`STANDARD`].
    ///
    /// # Errors
    /// The first part that is no delay.
    pub fn parse(text: &str) -> Result<Self, DelayError> {
        let levels: Result<Vec<u64>, _> = text.split_whitespace().map(delay_ms).collect();
        match levels {
            Ok(levels) if levels.is_empty() => Err(DelayError { part: String::new() }),
            other => other.map(Self),
        }
    }

    /// The highest level.
    pub fn max(&self) -> u32 {
        self.0.len() as u32
    }

    /// The level that a message which asks for `level` gets; `None` for 0: it is not delayed.
    pub fn clamp(&self, level: u32) -> Option<u32> {
        (level > 0).then(|| level.min(self.max()))
    }

    /// How long a message of `level` waits, in ms; `None` for 0. Levels beyond the highest wait
    /// as long as it.
    pub fn delay_ms(&self, level: u32) -> Option<u64> {
        self.clamp(level).map(|level| self.0[level as usize - 1])
    }
}

impl Default for Levels {
    fn default() -> Self {
        Self::parse(STANDARD).expect("the standard levels are well formed")
    }
}

/// The level that a message's property asks for; `None` when it asks for none.
pub fn level(property: &str) -> Option<u32> {
    property.trim().parse::<i64>().ok().filter(|level| *level > 0).map(|level| {
        // Whatever lies beyond is clamped to the highest level anyway.
        u32::try_from(level).unwrap_or(u32::MAX)
    })
}

/// The queue of the schedule topic where messages of `level` (from 1) wait.
pub fn queue_id(level: u32) -> u32 {
    level.saturating_sub(1)
}

fn delay_ms(part: &str) -> Result<u64, DelayError> {
    let wrong = || DelayError { part: part.to_owned() };
    let unit = part.chars().last().ok_or_else(wrong)?;
    let unit_ms = match unit {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => 86_400_000,
        _ => return Err(wrong()),
    };
    let number: u64 = part[..part.len() - 1].parse().map_err(|_| wrong())?;
    number.checked_mul(unit_ms).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_levels_are_those_of_4_9() {
        let levels = Levels::default();
        assert_eq!(levels.max(), 18);
        assert_eq!(levels.delay_ms(1), Some(1_000));
        assert_eq!(levels.delay_ms(4), Some(30_000));
        assert_eq!(levels.delay_ms(18), Some(7_200_000));
        // The whole ladder of 16 retries lasts 4 h 45 m 40 s.
        let ladder: u64 = (3..19).filter_map(|level| levels.delay_ms(level)).sum();
        assert_eq!(ladder, ((4 * 60 + 45) * 60 + 40) * 1_000);
    }

    #[test]
    fn a_level_beyond_the_highest_is_the_highest_and_none_is_none() {
        let levels = Levels::default();
        assert_eq!(levels.clamp(99), Some(18));
        assert_eq!(levels.clamp(0), None);
        assert_eq!(level("19"), Some(19));
        assert_eq!(level("99999999999"), Some(u32::MAX));
        assert_eq!((level("0"), level("-3"), level("x"), level("")), (None, None, None, None));
        assert_eq!(queue_id(1), 0);
    }

    #[test]
    fn what_is_no_delay_is_named() {
        for part in ["5", "x", "s", "-1s", "99999999999999999999s", "3µ"] {
            assert_eq!(Levels::parse(part), Err(DelayError { part: part.into() }), "{part}");
        }
        assert_eq!(Levels::parse(" "), Err(DelayError { part: String::new() }));
        assert!(Levels::parse(&format!("{}d", u64::MAX)).is_err());
        assert_eq!(Levels::parse("1s  2d").map(|levels| levels.max()), Ok(2));
    }
}
