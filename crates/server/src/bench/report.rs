//! What a measurement came to: a table for people, an object for machines.

use std::io::Write;
use std::time::Duration;

use serde_json::{Value, json};

use super::tally::Tally;
use crate::failure::Failure;
use crate::text::grouped;

/// A measurement and how it was made.
pub(crate) struct Report {
    /// What was asked for, by name; the same in the table and in the object.
    pub(crate) setting: Vec<(&'static str, Value)>,
    /// From the first request to the last answer.
    pub(crate) elapsed: Duration,
    /// What all connections saw.
    pub(crate) tally: Tally,
}

impl Report {
    /// Writes it to the standard output.
    ///
    /// # Errors
    /// Something was refused or a connection broke: the figures are not those of a sound run.
    pub(crate) fn write(self, as_json: bool) -> Result<(), Failure> {
        let text = if as_json { format!("{}\n", self.object()) } else { self.table() };
        // Whoever closed the pipe has seen enough.
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
        let Tally { refused, broken, .. } = self.tally;
        let worst = refused.iter().max_by_key(|(_, messages)| **messages);
        match (broken.first(), worst) {
            (None, None) => Ok(()),
            (Some(cause), _) => Err(Failure::new(format!(
                "{} of the connections ended before their time; one said: {cause}",
                broken.len()
            ))
            .remedy("look at the broker's log; is it still running?")),
            (None, Some((answer, messages))) => {
                Err(Failure::new(format!("{messages} messages were refused with {answer}"))
                    .remedy("lower --in-flight or --connections, or look at the broker's log"))
            }
        }
    }

    fn rate(&self) -> f64 {
        self.tally.messages as f64 / self.elapsed.as_secs_f64()
    }

    fn megabytes(&self) -> f64 {
        self.tally.bytes as f64 / 1e6 / self.elapsed.as_secs_f64()
    }

    fn object(&self) -> Value {
        let tally = &self.tally;
        let mut object = json!({
            "messages": tally.messages,
            "seconds": self.elapsed.as_secs_f64(),
            "messagesPerSecond": self.rate(),
            "megabytesPerSecond": self.megabytes(),
            "latencyMicros": {
                "p50": tally.percentile_us(50.0),
                "p99": tally.percentile_us(99.0),
                "p99.9": tally.percentile_us(99.9),
                "max": tally.latency.max(),
            },
            "refused": tally.refused,
            "brokenConnections": tally.broken.len(),
        });
        for (name, value) in &self.setting {
            object[*name] = value.clone();
        }
        object
    }

    fn table(&self) -> String {
        let tally = &self.tally;
        let mut rows: Vec<(String, String)> = Vec::new();
        for (name, value) in &self.setting {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            rows.push((name.to_string(), value));
        }
        rows.push(("messages".to_owned(), grouped(tally.messages)));
        rows.push(("seconds".to_owned(), format!("{:.2}", self.elapsed.as_secs_f64())));
        rows.push(("messages/s".to_owned(), grouped(self.rate().round() as u64)));
        rows.push(("MB/s".to_owned(), format!("{:.1}", self.megabytes())));
        for (name, percent) in [("P50", 50.0), ("P99", 99.0), ("P99.9", 99.9), ("max", 100.0)] {
            rows.push((format!("{name} ms"), millis(tally.percentile_us(percent))));
        }
        for (answer, messages) in &tally.refused {
            rows.push((format!("refused {answer}"), grouped(*messages)));
        }
        if !tally.broken.is_empty() {
            rows.push(("broken connections".to_owned(), tally.broken.len().to_string()));
        }
        let name_len = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        let value_len = rows.iter().map(|(_, value)| value.chars().count()).max().unwrap_or(0);
        rows.iter()
            .map(|(name, value)| format!("{name:name_len$}  {value:>value_len$}\n"))
            .collect()
    }
}

/// Microseconds, as milliseconds.
fn millis(micros: u64) -> String {
    format!("{:.3}", micros as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut tally = Tally::new();
        tally.messages = 1_234_567;
        tally.bytes = 2_000_000;
        tally.answered(Duration::from_micros(1500));
        let setting = vec![("connections", json!(16)), ("topic", json!("t"))];
        Report { setting, elapsed: Duration::from_secs(2), tally }
    }

    #[test]
    fn the_table_is_aligned_and_has_every_figure() {
        let table = report().table();
        let lens: Vec<usize> = table.lines().map(|line| line.chars().count()).collect();
        assert!(lens.iter().all(|len| *len == lens[0]), "{table}");
        for part in ["1,234,567", "617,284", "1.0\n", "P99.9 ms", "1.500", "connections"] {
            assert!(table.contains(part), "no {part} in\n{table}");
        }
    }

    #[test]
    fn the_object_has_the_same_figures() {
        let object = report().object();
        assert_eq!(object["messages"], 1_234_567);
        assert_eq!(object["messagesPerSecond"], 617_283.5);
        assert_eq!(object["latencyMicros"]["p50"], 1500);
        assert_eq!(object["connections"], 16);
    }

    #[test]
    fn refusals_and_broken_connections_are_failures() {
        let mut refused = report();
        refused.tally.refuse("SYSTEM_BUSY".to_owned(), 3);
        assert!(refused.write(true).is_err());
        let mut broken = report();
        broken.tally.broken.push("reset".to_owned());
        assert!(broken.write(true).is_err());
    }
}
