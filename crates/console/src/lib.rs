//! The web console and metrics. Filled by a later issue.
