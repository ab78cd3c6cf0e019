//! What lasts on a lane: lives, ways that are cut, disks and clocks that are not well. And what
//! each process is like from then on.

use std::collections::{BTreeMap, BTreeSet};

use timeline::{Band, State, Strip};

/// Bands that are drawn, and states, of all lanes.
#[derive(Default)]
pub(super) struct Bands {
    open: BTreeMap<(u32, Strip, &'static str), (u64, String)>,
    /// What each of them lasts for: it ends with the last.
    causes: BTreeMap<(u32, Strip, &'static str), BTreeSet<String>>,
    /// To whom a lane cannot speak.
    cut: BTreeMap<u32, BTreeSet<String>>,
    /// By how much the clock of a lane is off, in ms, and by how much it drifts, in ppm.
    clocks: BTreeMap<u32, (i64, i64)>,
    starts: BTreeMap<u32, u64>,
    connections: BTreeMap<u32, BTreeSet<u64>>,
    pub(super) bands: Vec<Band>,
    pub(super) states: Vec<State>,
}

/// The look of each life that is none; a lane that lives has no band.
const LIVES: [&str; 4] = ["dead", "dark", "paused", "starting"];

/// An event, as far as it matters here.
pub(super) struct Turn<'a> {
    pub(super) lane: u32,
    pub(super) at: u64,
    pub(super) what: &'a str,
    pub(super) numbers: [u64; 2],
    pub(super) detail: &'a str,
    /// Whether the lane is a server: it serves when it listens, not when it starts.
    pub(super) server: bool,
}

impl Turn<'_> {
    /// What began or ends: two things that look alike may last for times of their own.
    fn cause(&self) -> String {
        let what = match self.what {
            "disk-release" => "disk-stall",
            "bad-sectors-mended" => "bad-sector",
            "usual-reader" => "slow-reader",
            "clock-jump" | "clock-drift" => "clock",
            "cut" | "heal" => return "cut".to_owned(),
            "node" | "kill" | "power-off" | "restart" | "listen" | "pause" | "resume" => "life",
            what => what,
        };
        // One cause for each way to another node.
        let peer = match what {
            "clog" | "refuse" | "loss" | "latency" | "bandwidth" => self.detail,
            _ => "",
        };
        format!("{what} {peer}")
    }
}

impl Bands {
    /// Takes in an event.
    pub(super) fn take(&mut self, turn: &Turn<'_>) {
        let [first, second] = turn.numbers;
        match turn.what {
            "node" | "kill" | "power-off" | "restart" | "listen" | "pause" | "resume" => {
                self.live(turn);
            }
            "cut" | "heal" => self.way(turn),
            "clog" => self.set(turn, Strip::Net, "slow", (first > 0, "slow ways")),
            "refuse" => self.set(turn, Strip::Net, "failing", (first > 0, "refuses")),
            "loss" => self.set(turn, Strip::Net, "failing", (first > 0, "loses packets")),
            "latency" | "bandwidth" => {
                self.set(turn, Strip::Net, "slow", (first > 0, "slow ways"));
            }
            "slow-reader" => self.set(turn, Strip::Net, "slow", (true, "reads slowly")),
            "usual-reader" => self.set(turn, Strip::Net, "slow", (false, "")),
            "accept-error-chance" => {
                self.set(turn, Strip::Net, "failing", (first > 0, "accepts fail"));
            }
            "disk-slow" => {
                self.set(turn, Strip::Disk, "slow", (first > 1, &format!("disk slow ×{first}")));
            }
            "disk-stall" => self.set(turn, Strip::Disk, "slow", (true, "disk stands still")),
            "disk-release" => self.set(turn, Strip::Disk, "slow", (false, "")),
            "disk-capacity" => self.set(turn, Strip::Disk, "full", (first == 0, "disk full")),
            "read-error-chance"
            | "write-error-chance"
            | "writeback-error-chance"
            | "sync-error-chance" => {
                let words = format!("{} {first} %", turn.what.trim_end_matches("-chance"));
                self.set(turn, Strip::Disk, "failing", (first > 0, &words));
            }
            "bad-sector" => self.set(turn, Strip::Disk, "failing", (true, "bad sector")),
            "bad-sectors-mended" => self.set(turn, Strip::Disk, "failing", (false, "")),
            "clock-jump" | "clock-drift" => {
                let by = if second == 1 { -(first as i64) } else { first as i64 };
                self.clock(turn, by);
            }
            "accept" => {
                self.connection(turn.lane, turn.at, first, true);
            }
            "close" => self.connection(turn.lane, turn.at, first, false),
            _ => {}
        }
    }

    /// A connection of a lane begins or ends.
    pub(super) fn connection(&mut self, lane: u32, at: u64, number: u64, begins: bool) {
        let open = self.connections.entry(lane).or_default();
        if begins {
            open.insert(number);
        } else {
            open.remove(&number);
        }
        let value = match open.len() {
            0 => String::new(),
            count => count.to_string(),
        };
        self.state(lane, at, "connections", value);
    }

    /// From `at` on the lane has this value.
    pub(super) fn state(&mut self, lane: u32, at: u64, key: &str, value: String) {
        self.states.push(State { at, lane, key: key.to_owned(), value });
    }

    /// Everything, with what lasts to the end.
    pub(super) fn finish(mut self, end: u64) -> (Vec<Band>, Vec<State>) {
        for ((lane, strip, look), (begin, text)) in std::mem::take(&mut self.open) {
            self.close(lane, strip, look, (begin, end, text));
        }
        self.bands.sort_by_key(|band| (band.begin, band.lane));
        (self.bands, self.states)
    }

    fn live(&mut self, turn: &Turn<'_>) {
        let (look, words) = match turn.what {
            "kill" => ("dead", "dead"),
            "power-off" => ("dark", "no power"),
            "pause" => ("paused", "paused"),
            "node" | "restart" if turn.server => ("starting", "starting"),
            "listen" => ("", "serving"),
            "resume" if turn.server => ("", "serving"),
            _ => ("", "running"),
        };
        if matches!(turn.what, "node" | "restart") {
            let starts = self.starts.entry(turn.lane).or_default();
            *starts += 1;
            let starts = starts.to_string();
            self.state(turn.lane, turn.at, "start", starts);
        }
        for other in LIVES {
            self.set(turn, Strip::Life, other, (other == look, words));
        }
        self.state(turn.lane, turn.at, "life", words.to_owned());
    }

    fn way(&mut self, turn: &Turn<'_>) {
        let peer = turn.detail.trim_start_matches("to ").to_owned();
        let cut = self.cut.entry(turn.lane).or_default();
        if turn.what == "cut" {
            cut.insert(peer);
        } else {
            cut.remove(&peer);
        }
        let words: Vec<&str> = cut.iter().map(String::as_str).collect();
        let words = format!("no way to {}", words.join(", "));
        let on = !self.cut[&turn.lane].is_empty();
        self.set(turn, Strip::Net, "cut", (on, &words));
        self.state(turn.lane, turn.at, "net", if on { words } else { String::new() });
    }

    fn clock(&mut self, turn: &Turn<'_>, by: i64) {
        let (off_ms, ppm) = self.clocks.entry(turn.lane).or_default();
        if turn.what == "clock-jump" {
            *off_ms += by;
        } else {
            *ppm = by;
        }
        let mut words = Vec::new();
        if *off_ms != 0 {
            words.push(format!("{:+.3} s", *off_ms as f64 / 1_000.0));
        }
        if *ppm != 0 {
            words.push(format!("drifts {ppm:+} ppm"));
        }
        let words = words.join(", ");
        self.set(turn, Strip::Clock, "clock", (false, ""));
        let text = format!("clock {words}");
        self.set(turn, Strip::Clock, "clock", (!words.is_empty(), &text));
        self.state(turn.lane, turn.at, "clock", words);
    }

    /// Begins, goes on with or ends a band.
    fn set(
        &mut self,
        turn: &Turn<'_>,
        strip: Strip,
        look: &'static str,
        (on, words): (bool, &str),
    ) {
        let key = (turn.lane, strip, look);
        let causes = self.causes.entry(key).or_default();
        let cause = turn.cause();
        let goes_on = if on {
            causes.insert(cause);
            true
        } else {
            causes.remove(&cause);
            !causes.is_empty()
        };
        if on {
            let band = self.open.entry(key).or_insert_with(|| (turn.at, words.to_owned()));
            // The longest list of peers says most.
            if band.1.len() < words.len() {
                band.1 = words.to_owned();
            }
        } else if !goes_on && let Some((begin, text)) = self.open.remove(&key) {
            self.close(turn.lane, strip, look, (begin, turn.at, text));
        }
        if strip == Strip::Disk {
            let ill = |((lane, strip, _), (_, text)): (&(u32, Strip, &str), &(u64, String))| {
                let here = *lane == turn.lane && *strip == Strip::Disk;
                here.then(|| text.trim_start_matches("disk ").to_owned())
            };
            let words: Vec<String> = self.open.iter().filter_map(ill).collect();
            self.state(turn.lane, turn.at, "disk", words.join(", "));
        }
    }

    fn close(
        &mut self,
        lane: u32,
        strip: Strip,
        look: &str,
        (begin, end, text): (u64, u64, String),
    ) {
        if begin < end {
            let lasted = (end - begin) as f64 / 1e6;
            let text = format!("{text} for {lasted:.1} s");
            self.bands.push(Band { lane, strip, look: look.to_owned(), begin, end, text });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(at: u64, what: &'static str, first: u64, detail: &'static str) -> Turn<'static> {
        Turn { lane: 0, at, what, numbers: [first, 0], detail, server: true }
    }

    fn bands(turns: &[Turn<'_>]) -> Vec<(String, u64, u64)> {
        let mut bands = Bands::default();
        turns.iter().for_each(|turn| bands.take(turn));
        let bands = bands.finish(100).0.into_iter();
        bands.map(|band| (band.look, band.begin, band.end)).collect()
    }

    #[test]
    fn a_server_starts_until_it_listens_and_is_dead_until_it_starts() {
        let found = bands(&[
            turn(0, "node", 0, ""),
            turn(5, "listen", 9876, ""),
            turn(20, "kill", 0, ""),
            turn(30, "restart", 0, ""),
        ]);
        let look = |look: &str, begin, end| (look.to_owned(), begin, end);
        assert_eq!(
            found,
            [look("starting", 0, 5), look("dead", 20, 30), look("starting", 30, 100)]
        );
    }

    #[test]
    fn a_band_lasts_as_long_as_one_of_its_causes() {
        let found = bands(&[
            turn(1, "cut", 0, "to a"),
            turn(2, "cut", 0, "to b"),
            turn(3, "heal", 0, "to a"),
            turn(9, "heal", 0, "to b"),
            turn(10, "disk-slow", 4, "times"),
            turn(11, "disk-stall", 0, ""),
            turn(12, "disk-slow", 1, "times"),
            turn(15, "disk-release", 0, ""),
        ]);
        assert_eq!(found, [("cut".to_owned(), 1, 9), ("slow".to_owned(), 10, 15)]);
    }
}
