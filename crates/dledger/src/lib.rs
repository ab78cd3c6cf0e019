//! The CommitLog agreed by a majority. Filled by a later issue.
