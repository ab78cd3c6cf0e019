//! Which brokers to keep away from after they failed, and which queue to send to next.
//!
//! Pure: `now` is an argument.

use std::collections::BTreeMap;
use std::time::Duration;

use message::MessageQueue;
use runtime::Monotonic;

/// Brokers that failed lately, and until when each is avoided.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    until: BTreeMap<String, Monotonic>,
}

impl Faults {
    /// Keeps away from `broker` for `pause` from `now` on.
    pub fn failed(&mut self, broker: &str, now: Monotonic, pause: Duration) {
        self.until.insert(broker.to_owned(), now + pause);
    }

    /// A success clears the broker.
    pub fn succeeded(&mut self, broker: &str) {
        self.until.remove(broker);
    }

    /// Whether the broker is not being avoided.
    pub fn is_usable(&self, broker: &str, now: Monotonic) -> bool {
        self.until.get(broker).is_none_or(|until| *until <= now)
    }

    /// The next queue in turn, by preference: a broker that did not fail lately and is not the one
    /// this very message just failed on; then any other broker than that one; then any queue,
    /// because a doubtful broker is better than none. `None` only when there is no queue.
    pub fn choose<'a>(
        &self,
        queues: &'a [MessageQueue],
        turn: usize,
        just_failed: Option<&str>,
        now: Monotonic,
    ) -> Option<&'a MessageQueue> {
        if queues.is_empty() {
            return None;
        }
        let in_turn = || (0..queues.len()).map(|step| &queues[(turn + step) % queues.len()]);
        let elsewhere = |queue: &&MessageQueue| just_failed != Some(queue.broker_name.as_str());
        in_turn()
            .find(|queue| elsewhere(queue) && self.is_usable(&queue.broker_name, now))
            .or_else(|| in_turn().find(elsewhere))
            .or_else(|| in_turn().next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(30);

    fn queues() -> Vec<MessageQueue> {
        ["a", "a", "b", "b"]
            .iter()
            .enumerate()
            .map(|(number, broker)| MessageQueue {
                topic: "T".into(),
                broker_name: (*broker).into(),
                queue_id: number as u32 % 2,
            })
            .collect()
    }

    fn at(secs: u64) -> Monotonic {
        Monotonic(Duration::from_secs(secs))
    }

    #[test]
    fn without_faults_every_queue_gets_its_turn() {
        let (all, faults) = (queues(), Faults::default());
        let chosen: Vec<_> =
            (0..8).map(|turn| faults.choose(&all, turn, None, at(0)).unwrap().clone()).collect();
        assert_eq!(chosen, [all.clone(), all].concat());
    }

    #[test]
    fn a_failed_broker_is_avoided_until_its_pause_is_over_or_it_succeeds() {
        let (all, mut faults) = (queues(), Faults::default());
        faults.failed("a", at(10), PAUSE);
        assert_eq!(faults.choose(&all, 0, None, at(39)).unwrap().broker_name, "b");
        assert_eq!(faults.choose(&all, 0, None, at(40)).unwrap().broker_name, "a");
        faults.failed("a", at(50), PAUSE);
        faults.succeeded("a");
        assert_eq!(faults.choose(&all, 0, None, at(51)).unwrap().broker_name, "a");
    }

    #[test]
    fn when_all_are_doubtful_a_retry_still_goes_to_another_broker() {
        let (all, mut faults) = (queues(), Faults::default());
        faults.failed("a", at(0), PAUSE);
        faults.failed("b", at(0), PAUSE);
        assert_eq!(faults.choose(&all, 0, Some("a"), at(1)).unwrap().broker_name, "b");
        assert_eq!(faults.choose(&all[..2], 1, Some("a"), at(1)), Some(&all[1]));
        assert_eq!(faults.choose(&[], 1, Some("a"), at(1)), None);
    }
}
