//! Why a request is not served: a code and a sentence for the client.

use protocol::{BodyError, HeaderError, RemotingCommand, ResponseCode};

/// An answer other than the wanted one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: ResponseCode,
    pub(crate) remark: String,
    /// When another try may succeed, in ms: with flow control only.
    pub(crate) retry_after_ms: Option<u64>,
}

/// The field of an answer that says when to try again, in ms; the remark says it, too.
const RETRY_AFTER: &str = "retryAfterMs";
/// When another try may find room among the requests at work, in ms: some group commits later.
pub(crate) const RETRY_AFTER_OVERLOAD_MS: u64 = 100;

impl Refusal {
    /// A refusal with its reason.
    pub(crate) fn new(code: ResponseCode, remark: impl Into<String>) -> Self {
        Self { code, remark: remark.into(), retry_after_ms: None }
    }

    /// Flow control: SYSTEM_BUSY, and when to try again. Nothing was done.
    pub(crate) fn busy(remark: impl Into<String>, retry_after_ms: u64) -> Self {
        let retry_after_ms = Some(retry_after_ms);
        Self { code: ResponseCode::SYSTEM_BUSY, remark: remark.into(), retry_after_ms }
    }

    /// The answer to `request` that this is.
    pub(crate) fn reply_to(&self, request: &RemotingCommand) -> RemotingCommand {
        let mut reply = RemotingCommand::response_to(request, self.code).with_remark(&*self.remark);
        if let Some(ms) = self.retry_after_ms {
            reply.ext_fields.insert(RETRY_AFTER, ms.to_string());
        }
        reply
    }
}

impl From<HeaderError> for Refusal {
    fn from(error: HeaderError) -> Self {
        Self::new(ResponseCode::SYSTEM_ERROR, error.to_string())
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        Self::new(ResponseCode::SYSTEM_ERROR, error.to_string())
    }
}
