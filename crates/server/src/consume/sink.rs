//! The standard output, which takes so many messages and no more.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use message::MessageExt;
use runtime::sync::{Stop, race};
use runtime_tokio::stop_requested;
use serde_json::json;

/// Where messages are written, one per line.
pub(crate) struct Sink {
    json: bool,
    /// Messages that may still be written; held while one is, so that lines do not mix.
    left: Mutex<u64>,
    full: Stop,
}

impl Sink {
    /// Takes `max` messages, or any number.
    pub(crate) fn new(max: Option<u64>, json: bool) -> Self {
        let sink = Self { json, left: Mutex::new(max.unwrap_or(u64::MAX)), full: Stop::new() };
        if max == Some(0) {
            sink.full.stop();
        }
        sink
    }

    /// Writes a message; false when it takes no more.
    pub(crate) fn write(&self, queue: &str, message: &MessageExt) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if *left == 0 {
            return false;
        }
        let mut line = match self.json {
            true => as_json(queue, message).into_bytes(),
            false => message.message.body.to_vec(),
        };
        line.push(b'\n');
        let mut out = io::stdout().lock();
        if out.write_all(&line).and_then(|()| out.flush()).is_err() {
            // Whoever closed the pipe has seen enough.
            *left = 0;
            self.full.stop();
            return false;
        }
        *left -= 1;
        if *left == 0 {
            self.full.stop();
        }
        true
    }

    /// Returns when it takes no more, or the operator wants no more.
    pub(crate) async fn ended(&self) {
        let stopped = async {
            // A process that can have no signal handlers still ends the other way.
            if stop_requested().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        race(self.full.stopped(), stopped).await;
        self.full.stop();
    }

    /// Whether that is so.
    pub(crate) fn is_ended(&self) -> bool {
        self.full.is_stopped()
    }
}

/// A message as one line of JSON.
pub(crate) fn as_json(queue: &str, stored: &MessageExt) -> String {
    let message = &stored.message;
    json!({
        "topic": message.topic,
        "queue": queue,
        "offset": stored.queue_offset.0,
        "messageId": stored.message_id(),
        "offsetMessageId": stored.offset_message_id(),
        "tag": message.tags(),
        "keys": message.keys(),
        "storedMs": stored.store_timestamp,
        "body": String::from_utf8_lossy(&message.body),
    })
    .to_string()
}
