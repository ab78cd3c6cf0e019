//! Codes that this form of the broker knows and cannot do. They are refused by name, so that
//! nobody takes silence or a strange error for success.

use protocol::{RequestCode, ResponseCode};

use crate::refusal::Refusal;

/// Says what is missing and what that means for the client.
pub(crate) fn refuse(code: RequestCode) -> Refusal {
    let remark = match code {
        RequestCode::CONSUMER_SEND_MSG_BACK => {
            "handing a message back for a retry is not supported yet by this broker; \
             consume it again, or have the listener succeed"
        }
        RequestCode::END_TRANSACTION => {
            "transactions are not supported yet by this broker; its half messages were refused too"
        }
        RequestCode::DELETE_TOPIC_IN_BROKER => {
            "deleting a topic is not supported yet by this broker; \
             take its write permission away instead"
        }
        _ => "this request is not supported yet by this broker",
    };
    Refusal::new(ResponseCode::REQUEST_CODE_NOT_SUPPORTED, remark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_names_what_is_missing() {
        let remarks = [
            RequestCode::CONSUMER_SEND_MSG_BACK,
            RequestCode::END_TRANSACTION,
            RequestCode::DELETE_TOPIC_IN_BROKER,
        ]
        .map(|code| refuse(code).remark);
        assert!(remarks.iter().all(|remark| remark.contains("not supported yet")));
        assert!(remarks[0] != remarks[1] && remarks[1] != remarks[2]);
    }
}
