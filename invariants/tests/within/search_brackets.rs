//! The green and the red tests of Q6.

use super::*;
use crate::history::Seen;
use crate::identity::Identity;
use crate::promise::Flush;
use crate::testing::{Run, queue, seen};

/// A reader has seen messages at offsets 0 to 3, stored at 10, 20, 20 and 30 ms.
fn read() -> Run {
    let mut run = Run::new(SearchBrackets::default(), Flush::Sync);
    let stored = (0..).zip([10, 20, 20, 30]);
    let seen = stored.map(|(offset, store_timestamp)| Seen {
        store_timestamp,
        ..seen(Identity::new(1, offset as u32, 0), offset)
    });
    run.event(What::ReadBack { queue: queue(), seen: seen.collect() });
    run
}

fn ask(run: &mut Run, (time_ms, boundary): (u64, Boundary), answer: u64) -> usize {
    run.pass(1);
    let (started_ms, question) = (run.now_ms(), Question::Time(time_ms, boundary));
    run.event(What::Asked(Asked {
        started_ms,
        queue: queue(),
        question,
        answer: QueueOffset(answer),
    }))
}

#[test]
fn right_answers_are_fine() {
    use Boundary::{Lower, Upper};
    let mut run = read();
    for (time_ms, lower, upper) in
        [(0, 0, 0), (10, 0, 0), (15, 1, 0), (20, 1, 2), (25, 3, 2), (30, 3, 3), (99, 4, 3)]
    {
        ask(&mut run, (time_ms, Lower), lower);
        ask(&mut run, (time_ms, Upper), upper);
    }
    run.quiet(&[]);
    run.assert_green();
}

#[test]
fn what_was_stored_after_the_answer_does_not_count() {
    let mut run = read();
    ask(&mut run, (99, Boundary::Lower), 4);
    let late = Seen { store_timestamp: 50, ..seen(Identity::new(1, 4, 0), 4) };
    run.deliver(late);
    run.quiet(&[]);
    run.assert_green();
}

#[test]
fn wrong_answers_are_caught() {
    use Boundary::{Lower, Upper};
    for (time_ms, boundary, answer) in [
        (20, Lower, 2),
        (20, Lower, 0),
        (99, Lower, 3),
        (0, Lower, 1),
        (20, Upper, 1),
        (20, Upper, 3),
        (99, Upper, 2),
        (0, Upper, 1),
    ] {
        let mut run = read();
        let event = ask(&mut run, (time_ms, boundary), answer);
        run.quiet(&[]);
        run.assert_red(&[event]);
    }
}

#[test]
fn a_later_time_with_a_lower_offset_is_caught() {
    let mut run = Run::new(SearchBrackets::default(), Flush::Sync);
    let first = ask(&mut run, (20, Boundary::Lower), 5);
    let second = ask(&mut run, (30, Boundary::Lower), 4);
    run.quiet(&[]);
    run.assert_red(&[first, second]);
}

#[test]
fn a_clock_that_was_wrong_excuses() {
    let mut run = read();
    run.fault(Fault::Clock { off_by_ms: -5 });
    ask(&mut run, (20, Boundary::Lower), 3);
    run.quiet(&[]);
    run.assert_no_violation();
}
