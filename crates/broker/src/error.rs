//! Why a broker does not start, or did not end cleanly.

use std::io;

/// The broker did not start. What it had opened is closed again.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting makes no sense.
    #[error("{setting} is {value:?}: {cause}")]
    Config {
        /// Its name in [`BrokerConfig`](crate::BrokerConfig).
        setting: &'static str,
        /// What it is.
        value: String,
        /// What is wrong with it, and what would do.
        cause: String,
    },
    /// The store did not open.
    #[error(transparent)]
    Store(#[from] store::OpenError),
    /// A table cannot be read from the disk.
    #[error("{path}: {source}; check the disk and its permissions")]
    Disk {
        /// The file or directory.
        path: String,
        /// What the disk said.
        source: io::Error,
    },
    /// A table is not what this broker writes.
    #[error("{path} is damaged: {cause}; repair it, or move it away to start without it")]
    Table {
        /// The file.
        path: String,
        /// What the parser said.
        cause: String,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; is another broker running there?")]
    Listen {
        /// As configured.
        address: String,
        /// What the net said.
        source: io::Error,
    },
}

/// The broker ended, but not all of it cleanly. The next start recovers.
#[derive(Debug, thiserror::Error)]
pub enum ShutdownError {
    /// The store could not be closed.
    #[error(transparent)]
    Store(#[from] store::ShutdownError),
    /// A table could not be written for the last time.
    #[error("{path}: {source}; commits of the last seconds may be consumed again")]
    Table {
        /// The file.
        path: String,
        /// What the disk said.
        source: io::Error,
    },
}
