//! Transactions: codes 37 and 39.

use crate::command_header::command_header;

command_header! {
    /// Ends a half message.
    EndTransactionRequestHeader {
        /// The producer's group.
        producer_group: String = "producerGroup",
        /// Queue offset of the half message.
        tran_state_table_offset: i64 = "tranStateTableOffset",
        /// Physical offset of the half message.
        commit_log_offset: i64 = "commitLogOffset",
        /// 8 commit, 12 roll back, 0 not known yet.
        commit_or_rollback: i32 = "commitOrRollback",
        /// Whether this answers a check.
        from_transaction_check: bool = "fromTransactionCheck" or false,
        /// The UNIQ_KEY.
        msg_id: String = "msgId",
        /// The client's id of the transaction.
        transaction_id: Option<String> = "transactionId",
        /// The topic (5.x).
        topic: Option<String> = "topic",
        /// The broker that the client believes it talks to (since 4.9.5).
        broker_name: Option<String> = "bname",
    }
}

command_header! {
    /// Asks what became of a half message.
    CheckTransactionStateRequestHeader {
        /// Queue offset of the half message.
        tran_state_table_offset: i64 = "tranStateTableOffset",
        /// Physical offset of the half message.
        commit_log_offset: i64 = "commitLogOffset",
        /// The UNIQ_KEY.
        msg_id: Option<String> = "msgId",
        /// The same.
        transaction_id: Option<String> = "transactionId",
        /// The offset message id.
        offset_msg_id: Option<String> = "offsetMsgId",
        /// The topic (5.x).
        topic: Option<String> = "topic",
    }
}
