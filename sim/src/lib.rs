//! The five doors opened onto a seed: simulated disk, net and clock with faults.
