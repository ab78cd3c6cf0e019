//! How many requests of a kind may be at work at once; above it the answer is "busy", at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A counted door.
#[derive(Clone)]
pub(crate) struct Gate {
    inside: Arc<AtomicUsize>,
    inside_max: usize,
}

/// One request inside; it leaves when this is dropped.
pub(crate) struct Inside(Arc<AtomicUsize>);

impl Gate {
    /// A door for at most `inside_max` at once.
    pub(crate) fn new(inside_max: usize) -> Self {
        Self { inside: Arc::default(), inside_max }
    }

    /// Lets one in, unless as many are inside as may be.
    pub(crate) fn enter(&self) -> Option<Inside> {
        let before = self.inside.fetch_add(1, Ordering::Relaxed);
        let inside = Inside(self.inside.clone());
        (before < self.inside_max).then_some(inside)
    }

    /// How many are inside.
    pub(crate) fn inside(&self) -> usize {
        self.inside.load(Ordering::Relaxed)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_too_many_stays_out_until_another_leaves() {
        let gate = Gate::new(2);
        let (first, second) = (gate.enter(), gate.enter());
        assert!(first.is_some() && second.is_some());
        assert!(gate.enter().is_none());
        assert_eq!(gate.inside(), 2);
        drop(first);
        assert!(gate.enter().is_some());
        assert_eq!(gate.inside(), 1);
    }
}
