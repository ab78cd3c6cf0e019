//! How a request ended: every response code (reference protocol.md §1.7).

use std::fmt;

/// The number of a response. Any `i32` is a value; only those of the table have a name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ResponseCode(pub i32);

/// Declares the constants and the name table from one list, so that they cannot drift.
macro_rules! response_codes {
    ($($name:ident = $number:literal, $meaning:literal;)*) => {
        impl ResponseCode {
            $(
                #[doc = $meaning]
                pub const $name: Self = Self($number);
            )*

            /// Every code that has a name.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// RocketMQ's name of the code; `None` for a number outside the table.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

response_codes! {
    RPC_TIME_OUT = -1006, "Inner RPC of a 5.x server timed out.";
    RPC_SEND_TO_CHANNEL_FAILED = -1004, "Inner RPC of a 5.x server could not be sent.";
    RPC_ADDR_IS_NULL = -1002, "Inner RPC of a 5.x server had no address.";
    RPC_UNKNOWN = -1000, "Inner RPC of a 5.x server failed.";
    SUCCESS = 0, "Done.";
    SYSTEM_ERROR = 1, "Failed; the remark says why.";
    SYSTEM_BUSY = 2, "Refused by overload; nothing was done.";
    REQUEST_CODE_NOT_SUPPORTED = 3, "Nobody here serves that code.";
    TRANSACTION_FAILED = 4, "A transaction could not be ended.";
    FLUSH_DISK_TIMEOUT = 10, "Stored, but not seen on disk in time.";
    SLAVE_NOT_AVAILABLE = 11, "Stored, but no slave is in reach.";
    FLUSH_SLAVE_TIMEOUT = 12, "Stored, but no slave had it in time.";
    MESSAGE_ILLEGAL = 13, "Body or properties are too large, or malformed.";
    SERVICE_NOT_AVAILABLE = 14, "Not writeable now: disk full, slave, shutting down.";
    VERSION_NOT_SUPPORTED = 15, "The peer is too old.";
    NO_PERMISSION = 16, "Topic, group or broker forbids it.";
    TOPIC_NOT_EXIST = 17, "No such topic, or nobody alive serves it.";
    TOPIC_EXIST_ALREADY = 18, "The topic exists.";
    PULL_NOT_FOUND = 19, "No message at that offset yet.";
    PULL_RETRY_IMMEDIATELY = 20, "Nothing matched in the scanned range; go on at nextBeginOffset.";
    PULL_OFFSET_MOVED = 21, "The offset is outside the queue; go on at nextBeginOffset.";
    QUERY_NOT_FOUND = 22, "No such offset, key or message.";
    SUBSCRIPTION_PARSE_FAILED = 23, "The filter expression is malformed.";
    SUBSCRIPTION_NOT_EXIST = 24, "The group is not connected, or not subscribed to the topic.";
    SUBSCRIPTION_NOT_LATEST = 25, "The broker knows only an older subscription.";
    SUBSCRIPTION_GROUP_NOT_EXIST = 26, "No such group, and none is created.";
    FILTER_DATA_NOT_EXIST = 27, "No compiled filter for that group.";
    FILTER_DATA_NOT_LATEST = 28, "The compiled filter is older than the subscription.";
    INVALID_PARAMETER = 29, "A header field is out of range (5.3.2+).";
    TRANSACTION_SHOULD_COMMIT = 200, "Reserved.";
    TRANSACTION_SHOULD_ROLLBACK = 201, "Reserved.";
    TRANSACTION_STATE_UNKNOW = 202, "Reserved (upstream's spelling).";
    TRANSACTION_STATE_GROUP_WRONG = 203, "Reserved.";
    NO_BUYER_ID = 204, "Units: no buyer id.";
    NOT_IN_CURRENT_UNIT = 205, "Units: served elsewhere.";
    CONSUMER_NOT_ONLINE = 206, "No member of that group is connected.";
    CONSUME_MSG_TIMEOUT = 207, "A client did not answer in time.";
    NO_MESSAGE = 208, "No message.";
    POLLING_FULL = 209, "5.x: too many held polls. 4.9: an ACL change failed.";
    POLLING_TIMEOUT = 210, "5.x: a held poll ended. 4.9: an ACL deletion failed.";
    BROKER_NOT_EXIST = 211, "5.x: no such broker. 4.9: a white list change failed.";
    BROKER_DISPATCH_NOT_COMPLETE = 212, "5.x: dispatch lags.";
    BROADCAST_CONSUMPTION = 213, "5.x: the group broadcasts, its offsets live on the clients.";
    FLOW_CONTROL = 215, "Retry a pull soon (4.9.5+).";
    NOT_LEADER_FOR_QUEUE = 501, "5.x static topics: another broker leads.";
    ILLEGAL_OPERATION = 604, "Not allowed.";
    GO_AWAY = 1500, "5.3.1+: the server shuts down; reconnect and retry once.";
    USER_NOT_EXIST = 3001, "5.3: no such user.";
    POLICY_NOT_EXIST = 3002, "5.3: no such policy.";
}

impl ResponseCode {
    /// Whether a send with this answer was stored: 0, 10, 11 and 12 are.
    pub fn is_stored(self) -> bool {
        matches!(
            self,
            Self::SUCCESS
                | Self::FLUSH_DISK_TIMEOUT
                | Self::SLAVE_NOT_AVAILABLE
                | Self::FLUSH_SLAVE_TIMEOUT
        )
    }
}

impl fmt::Display for ResponseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name}({})", self.0),
            None => write!(f, "response {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ResponseCode;

    #[test]
    fn the_table_is_ascending_and_exactly_four_codes_mean_stored() {
        assert!(ResponseCode::ALL.windows(2).all(|pair| pair[0] < pair[1]));
        let stored: Vec<i32> =
            ResponseCode::ALL.iter().filter(|code| code.is_stored()).map(|code| code.0).collect();
        assert_eq!(stored, [0, 10, 11, 12]);
        assert_eq!(ResponseCode::TOPIC_NOT_EXIST.to_string(), "TOPIC_NOT_EXIST(17)");
        assert_eq!(ResponseCode(-7).to_string(), "response -7");
    }
}
