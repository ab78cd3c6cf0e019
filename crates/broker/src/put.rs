//! The one way a message enters the store on the ordinary path.

use std::net::SocketAddr;

use message::{PhysicalOffset, SysFlag, message_id};
use protocol::ResponseCode;
use store::{Append, AppendError, Appended, Busy, QueueHandle};

use crate::completion;
use crate::refusal::Refusal;
use crate::state::State;

/// What a record has besides body, topic and properties: 91 bytes, 12 more for each IPv6 host, one
/// more for a long topic (internals.md §1.2).
const RECORD_HEAD_MAX: u64 = 116;

/// One message that passed every check.
pub(crate) struct Put<'a> {
    pub(crate) queue: &'a QueueHandle,
    pub(crate) flag: i32,
    pub(crate) sys_flag: SysFlag,
    pub(crate) born_timestamp: u64,
    pub(crate) born_host: SocketAddr,
    pub(crate) store_host: SocketAddr,
    pub(crate) reconsume_times: u32,
    pub(crate) body: &'a [u8],
    /// As they are stored.
    pub(crate) properties: &'a [u8],
}

impl Put<'_> {
    /// The length of its record in bytes, or a little more.
    fn record_len_max(&self) -> u64 {
        let variable = self.body.len() + self.properties.len() + self.queue.topic().len();
        variable as u64 + RECORD_HEAD_MAX
    }

    /// Appends it under `appender`.
    pub(crate) fn append(
        &self,
        appender: &mut store::Appender<'_>,
    ) -> Result<Appended, AppendError> {
        appender.append(&Append {
            queue: self.queue,
            flag: self.flag,
            sys_flag: self.sys_flag,
            born_timestamp: self.born_timestamp,
            born_host: self.born_host,
            store_host: self.store_host,
            reconsume_times: self.reconsume_times,
            prepared_transaction_offset: PhysicalOffset(0),
            body: self.body,
            properties: &[self.properties],
        })
    }
}

/// Where messages were stored, and how far the promise for them holds.
#[derive(Debug)]
pub(crate) struct Stored {
    /// SUCCESS, or a code that says "stored, but".
    pub(crate) code: ResponseCode,
    /// In the order in which they were put.
    pub(crate) places: Vec<Appended>,
}

/// Appends `messages` one behind the other, then waits until they are as durable as promised;
/// `no_wait` leaves the second step out.
///
/// All of them or none: room for the whole batch is there before its first byte is written.
///
/// # Errors
/// Nothing was appended, except when the code is SYSTEM_ERROR of [`completion::broken`].
pub(crate) async fn put(
    state: &State,
    messages: &[Put<'_>],
    no_wait: bool,
) -> Result<Stored, Refusal> {
    let places = append(state, messages).await?;
    let promised = state.store.promised();
    let end = places.last().map_or(0, |last| last.end);
    let code = if no_wait {
        ResponseCode::SUCCESS
    } else {
        completion::wait(end, promised, &state.clock, state.sync_flush_timeout()).await?
    };
    Ok(Stored { code, places })
}

/// Appends them, waiting for the next segment where it is not ready yet.
async fn append(state: &State, messages: &[Put<'_>]) -> Result<Vec<Appended>, Refusal> {
    let deadline = state.clock.monotonic() + state.sync_flush_timeout();
    loop {
        match append_now(state, messages)? {
            Some(places) => return Ok(places),
            None => {
                runtime::sometimes!("broker: a send waited for the next segment");
                let ready = state.store.segment_ready();
                match state.clock.timeout_at(deadline, ready).await {
                    Ok(Ok(())) => {}
                    Ok(Err(closed)) => return Err(refuse(&AppendError::Poisoned(closed))),
                    Err(_elapsed) => return Err(refuse(&AppendError::SegmentNotReady)),
                }
            }
        }
    }
}

/// Appends them under one lock; `None` when the next segment must be waited for. Only a disk that
/// fails in mid-write leaves a part of them behind, and then nobody says that they were rejected:
/// an append that finds no room behind another one would break what `has_room` says.
fn append_now(state: &State, messages: &[Put<'_>]) -> Result<Option<Vec<Appended>>, Refusal> {
    let mut appender = state.store.admit().map_err(|busy| refuse(&busy))?;
    // One message goes in whole or not at all by itself; only a batch must ask.
    let room = match messages {
        [_] => 0,
        batch => batch.iter().map(Put::record_len_max).sum(),
    };
    match appender.has_room(room) {
        Ok(()) => {}
        Err(AppendError::SegmentNotReady) => return Ok(None),
        Err(error) => return Err(refuse(&error)),
    }
    let mut places = Vec::with_capacity(messages.len());
    for message in messages {
        match message.append(&mut appender) {
            Ok(place) => places.push(place),
            Err(AppendError::Poisoned(closed)) => return Err(completion::broken(&closed.reason)),
            Err(AppendError::SegmentNotReady) if places.is_empty() => return Ok(None),
            Err(error) if places.is_empty() => return Err(refuse(&error)),
            Err(error) => {
                let has_room =
                    !matches!(error, AppendError::Busy { .. } | AppendError::SegmentNotReady);
                runtime::always!(has_room, "there was room for the whole batch, and then: {error}");
                return Err(completion::broken(&error.to_string()));
            }
        }
    }
    let follow = |pair: &[Appended]| pair[0].queue_offset.0 + 1 == pair[1].queue_offset.0;
    assert!(places.windows(2).all(follow), "a batch lies in its queue without a gap");
    Ok(Some(places))
}

/// What a client is told when its message was not appended.
pub(crate) fn refuse(error: &AppendError) -> Refusal {
    let code = match error {
        AppendError::Busy { cause, .. } => {
            runtime::sometimes!("broker: flow control refused a send");
            return Refusal::busy(error.to_string(), cause.retry_after_ms());
        }
        AppendError::SegmentNotReady => {
            let why = "the next segment was not there in time".into();
            return refuse(&AppendError::Busy { cause: Busy::Disk, why });
        }
        AppendError::TooLarge { .. } | AppendError::ZeroByte | AppendError::Topic { .. } => {
            ResponseCode::MESSAGE_ILLEGAL
        }
        AppendError::Poisoned(_) => ResponseCode::SERVICE_NOT_AVAILABLE,
    };
    Refusal::new(code, format!("the message was not stored: {error}"))
}

/// The offset message id of a stored message.
pub(crate) fn message_id(store_host: SocketAddr, place: &Appended) -> String {
    message_id::encode(store_host, place.physical)
}

#[cfg(test)]
mod tests {
    use runtime::sync::Closed;

    use super::*;

    #[test]
    fn a_refused_append_tells_what_to_do_by_its_code() {
        let closed = Closed { reason: "a sync failed".into() };
        let cases = [
            (AppendError::TooLarge { part: "body", len: 9, max: 8 }, ResponseCode::MESSAGE_ILLEGAL),
            (AppendError::ZeroByte, ResponseCode::MESSAGE_ILLEGAL),
            (AppendError::Poisoned(closed), ResponseCode::SERVICE_NOT_AVAILABLE),
        ];
        for (error, code) in cases {
            assert_eq!(refuse(&error).code, code);
            assert!(refuse(&error).remark.contains(&error.to_string()));
            assert_eq!(refuse(&error).retry_after_ms, None);
        }
    }

    #[test]
    fn flow_control_names_its_cause_and_when_to_come_back() {
        let why = "9 bytes wait for their flush".into();
        let refused = refuse(&AppendError::Busy { cause: Busy::Flush, why });
        assert_eq!(refused.code, ResponseCode::SYSTEM_BUSY);
        assert_eq!(refused.remark, "[FLUSH] 9 bytes wait for their flush; retry after 200 ms");
        let request = protocol::RemotingCommand::request_without_header(
            protocol::RequestCode::SEND_MESSAGE_V2,
        );
        assert_eq!(refused.reply_to(&request).ext_fields.get("retryAfterMs"), Some("200"));
        let waited = refuse(&AppendError::SegmentNotReady);
        assert_eq!(waited.code, ResponseCode::SYSTEM_BUSY);
        assert!(waited.remark.starts_with("[DISK] "), "{}", waited.remark);
    }
}
