//! What can go wrong at a client, one enum per verb that fails in its own way.

use protocol::ResponseCode;
use remoting::RemotingError;

use crate::attempt::Attempt;

/// A request to the cluster failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The configuration names no name server.
    #[error("no name server is configured; set `namesrv` to at least one HOST:PORT")]
    NoNamesrv,
    /// A group name that no broker takes.
    #[error("the group name {name:?} is not valid; use 1 to 255 of the characters %|a-zA-Z0-9_-")]
    Group {
        /// The name.
        name: String,
    },
    /// No name server knows the topic and no broker offers to create it.
    #[error("no route to topic {topic}; create it, or let a broker auto-create topics")]
    TopicUnknown {
        /// The topic.
        topic: String,
    },
    /// The deadline passed before a route was known.
    #[error("no name server told the route to topic {topic} in time")]
    RouteTimeout {
        /// The topic.
        topic: String,
    },
    /// The group has a consumer in this client already.
    #[error("group {name} has a consumer in this client; start another client for another one")]
    GroupTaken {
        /// The group.
        name: String,
    },
    /// The brokers do not list us among the group's members yet; they are told.
    #[error("the brokers do not list this client in group {group} yet; they have been told again")]
    NotYetAMember {
        /// The group.
        group: String,
    },
    /// The route has no address for the broker.
    #[error("no address of broker {broker_name} is known for topic {topic}; is it registered?")]
    BrokerUnknown {
        /// The broker.
        broker_name: String,
        /// The topic.
        topic: String,
    },
    /// The other side answered, and said no.
    #[error("{address} answered {code}: {remark}")]
    Refused {
        /// Who answered.
        address: String,
        /// What.
        code: ResponseCode,
        /// Why, in its words.
        remark: String,
    },
    /// The other side's answer cannot be understood.
    #[error("the answer of {address} cannot be read: {reason}")]
    Answer {
        /// Who answered.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No answer came.
    #[error(transparent)]
    Remoting(#[from] RemotingError),
}

/// A message was not sent, or nobody knows.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The message itself cannot be sent; nothing was tried.
    #[error("the message was not sent: {reason}")]
    Message {
        /// What is wrong with it, and the limit.
        reason: String,
    },
    /// There is no queue to send to; nothing was tried.
    #[error(transparent)]
    Route(#[from] ClientError),
    /// Every attempt was refused or never left: the message is not stored.
    #[error("refused with {code}: {remark} (after {} attempts)", attempts.len())]
    Rejected {
        /// The last answer's code; [`ResponseCode::SYSTEM_ERROR`] when none ever answered.
        code: ResponseCode,
        /// The last answer's text, or why nothing could be sent.
        remark: String,
        /// Every attempt, oldest first.
        attempts: Vec<Attempt>,
    },
    /// At least one attempt may have stored the message, and none was confirmed. Sending it again
    /// may store it twice.
    #[error("not known to be stored: {reason} (after {} attempts)", attempts.len())]
    Unknown {
        /// What the last such attempt saw.
        reason: String,
        /// Every attempt, oldest first.
        attempts: Vec<Attempt>,
    },
}

impl SendError {
    /// Every attempt that was made, oldest first.
    pub fn attempts(&self) -> &[Attempt] {
        match self {
            Self::Message { .. } | Self::Route(_) => &[],
            Self::Rejected { attempts, .. } | Self::Unknown { attempts, .. } => attempts,
        }
    }
}
