//! What a name server is asked: codes 100 to 105, 205, 216, 219, 224, 322, 327.

use crate::command_header::command_header;

command_header! {
    /// Who serves a topic?
    GetRouteInfoRequestHeader {
        /// The topic.
        topic: String = "topic",
        /// Whether map keys must be quoted; ours always are.
        accept_standard_json_only: Option<bool> = "acceptStandardJsonOnly",
    }
}

command_header! {
    /// A broker's sign of life; its body is a `RegisterBrokerBody`.
    RegisterBrokerRequestHeader {
        /// The name that a master and its slaves share.
        broker_name: String = "brokerName",
        /// Its address, `ip:port`.
        broker_addr: String = "brokerAddr",
        /// Its cluster.
        cluster_name: String = "clusterName",
        /// Where slaves replicate from.
        ha_server_addr: String = "haServerAddr",
        /// 0 the master, else a slave.
        broker_id: i64 = "brokerId",
        /// Whether the body is in the compressed form.
        compressed: bool = "compressed" or false,
        /// CRC32 of the body as sent, without its sign bit; 0: not checked.
        body_crc32: i32 = "bodyCrc32" or 0,
        /// 5.x: how long silence is life.
        heartbeat_timeout_millis: Option<i64> = "heartbeatTimeoutMillis",
        /// 5.x: whether a slave may act as master.
        enable_acting_master: Option<bool> = "enableActingMaster",
    }
}

command_header! {
    /// To a slave: its master.
    RegisterBrokerResponseHeader {
        /// Where to replicate from.
        ha_server_addr: Option<String> = "haServerAddr",
        /// Where the master serves.
        master_addr: Option<String> = "masterAddr",
    }
}

command_header! {
    /// A broker leaves.
    UnregisterBrokerRequestHeader {
        /// The name that a master and its slaves share.
        broker_name: String = "brokerName",
        /// Its address, `ip:port`.
        broker_addr: String = "brokerAddr",
        /// Its cluster.
        cluster_name: String = "clusterName",
        /// 0 the master, else a slave.
        broker_id: i64 = "brokerId",
    }
}

command_header! {
    /// Is my topic table news? The body is a `DataVersion`.
    QueryDataVersionRequestHeader {
        /// The name that a master and its slaves share.
        broker_name: String = "brokerName",
        /// Its address, `ip:port`.
        broker_addr: String = "brokerAddr",
        /// Its cluster.
        cluster_name: String = "clusterName",
        /// 0 the master, else a slave.
        broker_id: i64 = "brokerId",
    }
}

command_header! {
    /// Whether it is.
    QueryDataVersionResponseHeader {
        /// Whether the broker must register its topics.
        changed: bool = "changed",
    }
}

command_header! {
    /// Sets a key.
    PutKvConfigRequestHeader {
        /// The namespace.
        namespace: String = "namespace",
        /// The key.
        key: String = "key",
        /// Its value.
        value: String = "value",
    }
}

command_header! {
    /// Reads a key.
    GetKvConfigRequestHeader {
        /// The namespace.
        namespace: String = "namespace",
        /// The key.
        key: String = "key",
    }
}

command_header! {
    /// Its value.
    GetKvConfigResponseHeader {
        /// The value.
        value: Option<String> = "value",
    }
}

command_header! {
    /// Drops a key.
    DeleteKvConfigRequestHeader {
        /// The namespace.
        namespace: String = "namespace",
        /// The key.
        key: String = "key",
    }
}

command_header! {
    /// Reads a namespace.
    GetKvListByNamespaceRequestHeader {
        /// The namespace.
        namespace: String = "namespace",
    }
}

command_header! {
    /// The topics of a cluster.
    GetTopicsByClusterRequestHeader {
        /// The cluster.
        cluster: String = "cluster",
    }
}

command_header! {
    /// Forgets a topic.
    DeleteTopicInNamesrvRequestHeader {
        /// The topic.
        topic: String = "topic",
        /// Only on that cluster's brokers.
        cluster_name: Option<String> = "clusterName",
    }
}

command_header! {
    /// Stops sends to a broker (205), or allows them again (327).
    WipeWritePermRequestHeader {
        /// The broker.
        broker_name: String = "brokerName",
    }
}

command_header! {
    /// Of a wipe.
    WipeWritePermResponseHeader {
        /// How many topics lost the permission.
        wipe_topic_count: i32 = "wipeTopicCount",
    }
}

command_header! {
    /// Of the opposite.
    AddWritePermResponseHeader {
        /// How many topics got it back.
        add_topic_count: i32 = "addTopicCount",
    }
}
