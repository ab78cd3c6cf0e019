//! CommitLog, ConsumeQueue, dispatch, flush and recovery.
