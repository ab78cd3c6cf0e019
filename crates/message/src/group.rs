//! Consumer groups that belong to the broker itself.

/// What the names of the broker's own groups begin with.
pub const SYSTEM_PREFIX: &str = "CID_RMQ_SYS_";

/// The group whose progress on the half and op topics is the transaction check's.
pub const TRANSACTION: &str = "CID_RMQ_SYS_TRANS";

/// The producer group that every client instance has for itself.
pub const CLIENT_INNER_PRODUCER: &str = "CLIENT_INNER_PRODUCER";

/// Whether `group` is one of the broker's own.
pub fn is_system(group: &str) -> bool {
    group.starts_with(SYSTEM_PREFIX)
}
