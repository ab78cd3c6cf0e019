//! The promises of [`Rng`] as a twin seeds it.

use crate::Rng;

pub(super) fn suite(rng: &Rng) {
    let (one, two) = (rng.stream("suite"), rng.stream("suite"));
    let drawn: Vec<u64> = (0..4).map(|_| one.next_u64()).collect();
    let again: Vec<u64> = (0..4).map(|_| two.next_u64()).collect();
    assert_eq!(drawn, again, "a stream's name does not decide its numbers");
    assert!(drawn.windows(2).all(|pair| pair[0] != pair[1]), "stuck: {drawn:?}");
    assert_ne!(rng.stream("other").next_u64(), drawn[0], "two names share their numbers");
    assert_ne!(one.clone().next_u64(), one.next_u64(), "a clone is a stream of its own");

    let mut bytes = [0; 64];
    rng.stream("bytes").fill(&mut bytes);
    assert!(bytes.iter().any(|byte| *byte != 0), "nothing was filled in");
    assert!(bytes[60..].iter().any(|byte| *byte != 0), "the end was not filled in");
}
