//! What the tools share: a client of the cluster, and its failures in an operator's words.

use std::error::Error;
use std::path::Path;

use hotfire_client::{Client, ClientConfig};
use runtime::Runtime;
use runtime_tokio::TokioRuntime;

use crate::failure::Failure;
use crate::serve::namesrv_addresses;

/// Where a cluster most likely is when nobody says.
const NAMESRV_DEFAULT: &str = "127.0.0.1:9876";

/// A tool's doors and its client.
pub(crate) struct Tool {
    /// The doors.
    pub(crate) runtime: Runtime,
    /// The client.
    pub(crate) client: Client,
    /// The name servers it asks.
    pub(crate) namesrv: String,
}

impl Tool {
    /// Connects to nothing yet; the first request does.
    pub(crate) fn start(namesrv: Option<String>) -> Result<Self, Failure> {
        // A tool keeps no files: the root is only there to open the other doors.
        let runtime = TokioRuntime::open(Path::new("."))
            .map_err(|error| Failure::from_error("cannot start", &error))?;
        let mut addresses = namesrv_addresses(namesrv, "");
        if addresses.is_empty() {
            addresses.push(NAMESRV_DEFAULT.to_owned());
        }
        let namesrv = addresses.join(";");
        let client = Client::start(&runtime, ClientConfig::new(addresses));
        Ok(Self { runtime, client, namesrv })
    }

    /// A failure of a request to the cluster.
    pub(crate) fn failed(&self, what: impl Into<String>, error: &dyn Error) -> Failure {
        Failure::from_error(what, error).remedy(format!(
            "is a cluster running at {}? give -n HOST:PORT, or start one: hotfire standalone",
            self.namesrv
        ))
    }
}
