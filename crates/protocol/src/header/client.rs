//! Members of groups: codes 35, 38, 40, 46.

use crate::command_header::command_header;

command_header! {
    /// A member leaves a group, or one group of each kind.
    UnregisterClientRequestHeader {
        /// Who leaves.
        client_id: String = "clientID",
        /// The producer group it leaves; C++ sends an empty one.
        producer_group: Option<String> = "producerGroup",
        /// The consumer group it leaves; C++ sends an empty one.
        consumer_group: Option<String> = "consumerGroup",
        /// The broker that the client believes it talks to (since 4.9.5).
        broker_name: Option<String> = "bname",
    }
}

command_header! {
    /// The members of a group.
    GetConsumerListByGroupRequestHeader {
        /// The consumer group.
        consumer_group: String = "consumerGroup",
        /// The broker that the client believes it talks to (since 4.9.5).
        broker_name: Option<String> = "bname",
    }
}

command_header! {
    /// Broker to member: the group's membership changed.
    NotifyConsumerIdsChangedRequestHeader {
        /// The consumer group.
        consumer_group: String = "consumerGroup",
    }
}
