//! Messages by key or by physical offset: codes 12 and 33.

use crate::command_header::command_header;

command_header! {
    /// Messages by key.
    QueryMessageRequestHeader {
        /// The topic.
        topic: String = "topic",
        /// One word of KEYS, or a UNIQ_KEY.
        key: String = "key",
        /// The most messages wanted.
        max_num: i32 = "maxNum",
        /// Not stored before this, in ms.
        begin_timestamp: i64 = "beginTimestamp",
        /// Not stored after this, in ms.
        end_timestamp: i64 = "endTimestamp",
        /// Whether the key is a UNIQ_KEY; outside the ACL signature.
        unique_key_query: Option<bool> = "_UNIQUE_KEY_QUERY",
        /// The broker that the client believes it talks to (since 4.9.5).
        broker_name: Option<String> = "bname",
    }
}

command_header! {
    /// How fresh the index is.
    QueryMessageResponseHeader {
        /// Store time of the last indexed message, in ms.
        index_last_update_timestamp: i64 = "indexLastUpdateTimestamp",
        /// Physical offset of the last indexed message.
        index_last_update_phyoffset: i64 = "indexLastUpdatePhyoffset",
    }
}

command_header! {
    /// The message at a physical offset.
    ViewMessageRequestHeader {
        /// The physical offset.
        offset: i64 = "offset",
        /// Its topic (5.x).
        topic: Option<String> = "topic",
        /// The broker that the client believes it talks to (since 4.9.5).
        broker_name: Option<String> = "bname",
    }
}
