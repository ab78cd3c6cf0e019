//! Requests to brokers and name servers, with the answers' codes looked at.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use protocol::{RemotingCommand, ResponseCode};

use crate::error::ClientError;

/// The way to the cluster.
pub(crate) struct Link {
    /// Connections, one per address.
    pub(crate) remoting: remoting::Client,
    /// Addresses of the name servers.
    namesrv: Vec<String>,
    /// Which of them is in use: it stays so until it fails.
    in_use: AtomicUsize,
    /// How long an answer is waited for.
    timeout: Duration,
}

impl Link {
    /// A way that begins with the name server number `first` (modulo their count).
    pub(crate) fn new(
        remoting: remoting::Client,
        namesrv: Vec<String>,
        first: u64,
        timeout: Duration,
    ) -> Self {
        let in_use = AtomicUsize::new(first as usize % namesrv.len().max(1));
        Self { remoting, namesrv, in_use, timeout }
    }

    /// One request to a broker, answered with success.
    pub(crate) async fn ask(
        &self,
        address: &str,
        command: RemotingCommand,
    ) -> Result<RemotingCommand, ClientError> {
        let answer = self.remoting.request(address, command, self.timeout).await?;
        accept(address, answer)
    }

    /// One request to a broker whatever the code of its answer.
    pub(crate) async fn ask_within(
        &self,
        address: &str,
        command: RemotingCommand,
        timeout: Duration,
    ) -> Result<RemotingCommand, ClientError> {
        Ok(self.remoting.request(address, command, timeout).await?)
    }

    /// One request to the name server in use, and to each of the others in turn while they give no
    /// answer or say that they cannot serve. The last error stands when all fail.
    pub(crate) async fn ask_namesrv(
        &self,
        command: &RemotingCommand,
    ) -> Result<RemotingCommand, ClientError> {
        let mut last = ClientError::NoNamesrv;
        for _ in 0..self.namesrv.len() {
            let number = self.in_use.load(Ordering::Relaxed);
            let address = &self.namesrv[number];
            let answer = self.remoting.request(address, command.clone(), self.timeout).await;
            match answer.map_err(ClientError::from).and_then(|answer| accept(address, answer)) {
                Err(error) if is_of_the_server(&error) => last = error,
                settled => return settled,
            }
            tracing::debug!(%address, error = %last, "the name server fails, trying the next");
            let next = (number + 1) % self.namesrv.len();
            self.in_use.store(next, Ordering::Relaxed);
        }
        Err(last)
    }
}

/// Whether another name server may answer better.
fn is_of_the_server(error: &ClientError) -> bool {
    match error {
        ClientError::Remoting(_) => true,
        ClientError::Refused { code, .. } => {
            [ResponseCode::SYSTEM_ERROR, ResponseCode::SYSTEM_BUSY].contains(code)
        }
        _ => false,
    }
}

/// The answer, unless its code says no.
pub(crate) fn accept(
    address: &str,
    answer: RemotingCommand,
) -> Result<RemotingCommand, ClientError> {
    let code = answer.response_code();
    if code == ResponseCode::SUCCESS {
        return Ok(answer);
    }
    let remark = answer.remark.unwrap_or_default();
    Err(ClientError::Refused { address: address.to_owned(), code, remark })
}

/// The error for an answer that makes no sense.
pub(crate) fn unreadable(address: &str, reason: impl ToString) -> ClientError {
    ClientError::Answer { address: address.to_owned(), reason: reason.to_string() }
}
