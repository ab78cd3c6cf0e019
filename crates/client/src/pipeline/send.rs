//! Sends with many in flight on one connection.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use message::topic;
use protocol::fast::{SendRequest, encode_send_request, send_reply_view};
use protocol::{Frame, RemotingCommand, ResponseCode, SerializeType};
use runtime::{Clock, Monotonic, Net};

use super::error::PipelineError;
use super::wire::Wire;

/// How long the connect may take.
const CONNECT_MAX: Duration = Duration::from_secs(3);

/// Bytes that wait to leave, above which nothing more is encoded: large enough for one write to
/// carry many requests, small enough to stay in the cache.
const OUT_BYTES_MAX: usize = 256 * 1024;

/// What all requests of a send pipeline have in common.
#[derive(Clone, Debug)]
pub struct SendPipelineConfig {
    /// The producer's group.
    pub group: String,
    /// The topic.
    pub topic: String,
    /// The broker's name.
    pub broker_name: String,
    /// Queues of the topic, should the first send create it.
    pub default_topic_queue_nums: u32,
    /// The form of the headers.
    pub serialize_type: SerializeType,
    /// Requests in flight at most.
    pub in_flight_max: usize,
}

/// One message to send.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// The queue.
    pub queue_id: u32,
    /// Encoded properties, see [`message::Properties::encode`].
    pub properties: &'a str,
    /// The body; of a batch, see [`message::batch::encode`].
    pub body: &'a [u8],
    /// Whether the body holds several messages.
    pub batch: bool,
}

/// The answer to one of them.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    /// Which: 0 for the first that was sent.
    pub number: u64,
    /// The answer's code.
    pub code: ResponseCode,
    /// The queue and the offset in it, when it is stored.
    pub stored: Option<(u32, u64)>,
    /// The answer's text, when it is not.
    pub remark: Option<&'a str>,
    /// When the request was encoded.
    pub sent_at: Monotonic,
    /// From encoding the request to reading the answer.
    pub latency: Duration,
}

/// A connection that sends.
pub struct SendPipeline {
    wire: Wire,
    clock: Clock,
    config: SendPipelineConfig,
    /// Requests in flight; the index is the opaque.
    slots: Vec<Option<Slot>>,
    /// Indices of empty slots.
    free: Vec<usize>,
    /// Requests encoded so far.
    sent: u64,
}

#[derive(Clone, Copy)]
struct Slot {
    number: u64,
    at: Monotonic,
}

impl SendPipeline {
    /// Connects to a broker.
    ///
    /// # Errors
    /// As [`Net::connect`].
    pub async fn connect(
        net: &Net,
        clock: &Clock,
        address: &str,
        config: SendPipelineConfig,
    ) -> Result<Self, PipelineError> {
        let stream = net.connect(address, CONNECT_MAX).await?;
        let slots = vec![None; config.in_flight_max.max(1)];
        let free = (0..slots.len()).rev().collect();
        Ok(Self { wire: Wire::new(stream), clock: clock.clone(), config, slots, free, sent: 0 })
    }

    /// Sends what `next` gives, until it gives nothing more and everything is answered. `next` is
    /// called with the number of the message, from 0 for the pipeline's first, and the time, which
    /// is read once for many; it may be called again with a number for which it gave nothing.
    /// `report` is called once for each answer.
    ///
    /// # Errors
    /// The connection failed, or what came makes no sense; what was in flight is unknown.
    pub async fn run<'a>(
        &mut self,
        mut next: impl FnMut(u64, Monotonic) -> Option<Outgoing<'a>>,
        mut report: impl FnMut(Reply<'_>),
    ) -> Result<(), PipelineError> {
        poll_fn(|context| self.step(context, &mut next, &mut report)).await
    }

    /// Does what can be done now: encode, write, read, report; until nothing moves.
    fn step<'a>(
        &mut self,
        context: &mut Context<'_>,
        next: &mut impl FnMut(u64, Monotonic) -> Option<Outgoing<'a>>,
        report: &mut impl FnMut(Reply<'_>),
    ) -> Poll<Result<(), PipelineError>> {
        loop {
            self.fill(next);
            if self.free.len() == self.slots.len() {
                return Poll::Ready(Ok(()));
            }
            let wrote = self.wire.write(context)?;
            let read = self.wire.read(context)?;
            if read {
                self.take_answers(report)?;
            }
            if !wrote && !read {
                return Poll::Pending;
            }
        }
    }

    /// Encodes requests while there is room for them.
    fn fill<'a>(&mut self, next: &mut impl FnMut(u64, Monotonic) -> Option<Outgoing<'a>>) {
        if self.free.is_empty() || self.wire.out.len() >= OUT_BYTES_MAX {
            return;
        }
        let (at, born_timestamp) = (self.clock.monotonic(), self.clock.now_ms());
        while self.wire.out.len() < OUT_BYTES_MAX
            && let Some(slot) = self.free.pop()
        {
            let Some(message) = next(self.sent, at) else {
                self.free.push(slot);
                return;
            };
            let request = SendRequest {
                opaque: slot as i32,
                oneway: false,
                serialize_type: self.config.serialize_type,
                group: &self.config.group,
                topic: &self.config.topic,
                default_topic: topic::AUTO_CREATE,
                default_topic_queue_nums: self.config.default_topic_queue_nums as i32,
                queue_id: message.queue_id as i32,
                sys_flag: 0,
                born_timestamp,
                message_flag: 0,
                properties: message.properties,
                reconsume_times: 0,
                batch: message.batch,
                broker_name: &self.config.broker_name,
                body: message.body,
            };
            encode_send_request(&request, &mut self.wire.out);
            self.slots[slot] = Some(Slot { number: self.sent, at });
            self.sent += 1;
        }
    }

    /// Reports all answers that have come whole.
    fn take_answers(&mut self, report: &mut impl FnMut(Reply<'_>)) -> Result<(), PipelineError> {
        let now = self.clock.monotonic();
        while let Some(frame) = self.wire.frame()? {
            match send_reply_view(&frame) {
                Some((opaque, code, queue_id, offset)) => {
                    let slot = self.take(opaque)?;
                    report(Reply {
                        number: slot.number,
                        code,
                        stored: Some((queue_id, offset)),
                        remark: None,
                        sent_at: slot.at,
                        latency: now.since(slot.at),
                    });
                }
                None => self.take_refusal(&frame, now, report)?,
            }
        }
        Ok(())
    }

    /// An answer that does not say "stored", or a request of the broker's, which is left alone.
    fn take_refusal(
        &mut self,
        frame: &Frame,
        now: Monotonic,
        report: &mut impl FnMut(Reply<'_>),
    ) -> Result<(), PipelineError> {
        let command: RemotingCommand = frame.decode()?;
        if command.is_response() {
            let slot = self.take(command.opaque)?;
            report(Reply {
                number: slot.number,
                code: command.response_code(),
                stored: None,
                remark: command.remark.as_deref(),
                sent_at: slot.at,
                latency: now.since(slot.at),
            });
        }
        Ok(())
    }

    fn take(&mut self, opaque: i32) -> Result<Slot, PipelineError> {
        let index = usize::try_from(opaque).ok().filter(|index| *index < self.slots.len());
        let slot = index.and_then(|index| Some((index, self.slots[index].take()?)));
        let (index, slot) = slot.ok_or(PipelineError::Opaque { opaque })?;
        self.free.push(index);
        Ok(slot)
    }
}
