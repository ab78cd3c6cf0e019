//! The five doors opened onto this machine: tokio and memory maps.
