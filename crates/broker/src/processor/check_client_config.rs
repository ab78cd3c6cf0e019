//! CHECK_CLIENT_CONFIG (46): asked before a consumer starts with an expression other than tags.

use protocol::body::CheckClientRequestBody;
use protocol::{RemotingCommand, ResponseCode};

use super::answer::{Answer, success};
use crate::refusal::Refusal;
use crate::subscription::is_tag_type;

/// Tags are fine; anything else is not evaluated here.
pub(crate) fn serve(request: &RemotingCommand) -> Answer {
    let body = CheckClientRequestBody::decode(&request.body)?;
    let kind = &body.subscription_data.expression_type;
    if is_tag_type(Some(kind)) {
        return Ok(success(request).into());
    }
    Err(unsupported_filter(kind))
}

/// As RocketMQ says it while `enablePropertyFilter` is off.
pub(crate) fn unsupported_filter(kind: &str) -> Refusal {
    let remark = format!("The broker does not support consumer to filter message by {kind}");
    Refusal::new(ResponseCode::SYSTEM_ERROR, remark)
}
