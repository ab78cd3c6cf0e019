//! Replication of the CommitLog to slaves. Filled by a later issue.
