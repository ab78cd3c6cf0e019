//! What of one queue is in flight, and how far it may be committed.
//!
//! Pure. *Invariant:* the ceiling never passes a message that was taken and not finished, and it
//! never falls but by [`Progress::restart`].

use std::collections::BTreeMap;

use message::QueueOffset;

/// The progress of one consumer through one queue.
#[derive(Clone, Debug)]
pub struct Progress {
    /// Where the next pull begins: everything below was pulled, or passed over by the broker.
    next: u64,
    /// Taken and not finished, by queue offset.
    in_flight: BTreeMap<u64, InFlight>,
    bytes: usize,
    /// Counts the restarts, so that what one forgot finishes without effect.
    epoch: u64,
}

#[derive(Clone, Copy, Debug)]
struct InFlight {
    bytes: usize,
    epoch: u64,
}

/// One message taken into flight; given back with [`Progress::finish`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    epoch: u64,
    offset: u64,
}

impl Progress {
    /// Nothing in flight, the next pull begins at `from`.
    pub fn new(from: QueueOffset) -> Self {
        Self { next: from.0, in_flight: BTreeMap::new(), bytes: 0, epoch: 0 }
    }

    /// Where the next pull begins.
    pub fn next(&self) -> QueueOffset {
        QueueOffset(self.next)
    }

    /// Messages in flight.
    pub fn count(&self) -> usize {
        self.in_flight.len()
    }

    /// Bytes in flight.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The distance between the oldest message in flight and the next pull.
    pub fn span(&self) -> u64 {
        self.next - self.ceiling().0
    }

    /// Takes a message into flight. `None` when it was already passed: a broker that answers with
    /// what was not asked for must not make us consume it twice.
    pub fn take(&mut self, offset: QueueOffset, bytes: usize) -> Option<Taken> {
        if offset.0 < self.next {
            return None;
        }
        self.next = offset.0 + 1;
        self.in_flight.insert(offset.0, InFlight { bytes, epoch: self.epoch });
        self.bytes += bytes;
        Some(Taken { epoch: self.epoch, offset: offset.0 })
    }

    /// Everything below `next_begin` is scanned. A lower value than before changes nothing.
    pub fn scanned(&mut self, next_begin: QueueOffset) {
        self.next = self.next.max(next_begin.0);
    }

    /// The message is done with. False when a restart forgot it: it does not count any more.
    pub fn finish(&mut self, taken: Taken) -> bool {
        if !self.holds(taken) {
            return false;
        }
        let done = self.in_flight.remove(&taken.offset);
        self.bytes -= done.map_or(0, |done| done.bytes);
        true
    }

    /// Whether the message is still in flight and worth another try.
    pub fn holds(&self, taken: Taken) -> bool {
        self.in_flight.get(&taken.offset).is_some_and(|held| held.epoch == taken.epoch)
    }

    /// The offset that may be committed: the oldest message in flight, or the next pull when there
    /// is none.
    pub fn ceiling(&self) -> QueueOffset {
        QueueOffset(self.in_flight.keys().next().copied().unwrap_or(self.next))
    }

    /// Goes on at `from`: the broker says that our offset is not in the queue. What is in flight
    /// from there on is forgotten, for it will be pulled again, and what is below stays in flight,
    /// for it will not. This is the one way the ceiling falls.
    pub fn restart(&mut self, from: QueueOffset) {
        let forgotten = self.in_flight.split_off(&from.0);
        self.bytes -= forgotten.values().map(|held| held.bytes).sum::<usize>();
        self.next = from.0;
        self.epoch += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress_with(offsets: &[u64]) -> (Progress, Vec<Taken>) {
        let mut progress = Progress::new(QueueOffset(offsets[0]));
        let taken = offsets.iter().map(|at| progress.take(QueueOffset(*at), 10).unwrap()).collect();
        (progress, taken)
    }

    #[test]
    fn the_oldest_message_in_flight_is_the_ceiling_whatever_finishes_first() {
        let (mut progress, taken) = progress_with(&[5, 6, 9]);
        progress.scanned(QueueOffset(12));
        assert_eq!(progress.ceiling(), QueueOffset(5));
        assert!(progress.finish(taken[2]));
        assert!(progress.finish(taken[1]));
        assert_eq!(
            (progress.ceiling(), progress.count(), progress.bytes()),
            (QueueOffset(5), 1, 10)
        );
        assert!(progress.finish(taken[0]));
        assert_eq!((progress.ceiling(), progress.bytes()), (QueueOffset(12), 0));
    }

    #[test]
    fn a_message_finishes_once() {
        let (mut progress, taken) = progress_with(&[0, 1]);
        assert!(progress.finish(taken[0]));
        assert!(!progress.finish(taken[0]));
        assert_eq!(progress.bytes(), 10);
    }

    #[test]
    fn what_was_passed_is_not_taken_again() {
        let (mut progress, _) = progress_with(&[3, 4]);
        assert_eq!(progress.take(QueueOffset(4), 10), None);
        progress.scanned(QueueOffset(2));
        assert_eq!(progress.next(), QueueOffset(5));
    }

    #[test]
    fn what_a_restart_forgot_does_not_count_when_it_finishes() {
        let (mut progress, taken) = progress_with(&[3, 4]);
        progress.restart(QueueOffset(3));
        assert!(!progress.holds(taken[0]));
        let again = progress.take(QueueOffset(3), 10).unwrap();
        assert!(!progress.finish(taken[0]));
        assert_eq!((progress.ceiling(), progress.bytes()), (QueueOffset(3), 10));
        assert!(progress.finish(again));
        assert_eq!(progress.ceiling(), QueueOffset(4));
    }

    #[test]
    fn what_lies_below_a_restart_still_holds_the_ceiling() {
        let (mut progress, taken) = progress_with(&[3, 4, 5]);
        progress.restart(QueueOffset(5));
        assert_eq!((progress.ceiling(), progress.count()), (QueueOffset(3), 2));
        assert!(progress.finish(taken[0]) && progress.finish(taken[1]));
        assert!(!progress.finish(taken[2]));
        assert_eq!((progress.ceiling(), progress.bytes()), (QueueOffset(5), 0));
        let (mut expired, old) = progress_with(&[3]);
        expired.restart(QueueOffset(90));
        assert_eq!((expired.ceiling(), expired.next()), (QueueOffset(3), QueueOffset(90)));
        assert!(expired.finish(old[0]));
        assert_eq!(expired.ceiling(), QueueOffset(90));
    }

    #[test]
    fn the_span_counts_from_the_oldest_in_flight_to_the_next_pull() {
        let (mut progress, taken) = progress_with(&[10, 11]);
        progress.scanned(QueueOffset(2_000));
        assert_eq!(progress.span(), 1_990);
        progress.finish(taken[0]);
        assert_eq!(progress.span(), 1_989);
        progress.finish(taken[1]);
        assert_eq!(progress.span(), 0);
    }
}
