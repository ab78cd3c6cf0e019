//! Producer, consumers and rebalance.
