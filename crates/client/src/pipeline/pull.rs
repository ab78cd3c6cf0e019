//! Pulls several queues at once on one connection, as fast as the answers come.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use message::QueueOffset;
use protocol::header::{PullMessageRequestHeader, PullMessageResponseHeader};
use protocol::{RemotingCommand, RequestCode, ResponseCode};
use runtime::{Clock, Monotonic, Net};

use super::error::PipelineError;
use super::wire::Wire;

/// How long the connect may take.
const CONNECT_MAX: Duration = Duration::from_secs(3);

/// Bits of a pull's sysFlag: the subscription is in the request.
const SUBSCRIPTION: i32 = 4;

/// What all requests of a pull pipeline have in common.
#[derive(Clone, Debug)]
pub struct PullPipelineConfig {
    /// The consumer group.
    pub group: String,
    /// The topic.
    pub topic: String,
    /// The broker's name.
    pub broker_name: String,
    /// Messages asked for in one pull.
    pub count_max: u32,
}

/// One queue and how far it is to be read; it has one pull in flight at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PullLane {
    /// The queue.
    pub queue_id: u32,
    /// Where the next pull begins.
    pub next: QueueOffset,
    /// Reading ends once `next` is here.
    pub end: QueueOffset,
}

/// The answer to one pull.
#[derive(Clone, Debug)]
pub struct PullPage {
    /// The queue.
    pub queue_id: u32,
    /// Where the pull began.
    pub from: QueueOffset,
    /// Where the next one begins.
    pub next: QueueOffset,
    /// Records one behind the other, see [`message::record`].
    pub records: Bytes,
    /// From encoding the request to reading the answer.
    pub latency: Duration,
}

impl PullPage {
    /// How many records there are, by walking their lengths only.
    pub fn count(&self) -> u64 {
        let (mut rest, mut count) = (&self.records[..], 0);
        while let Some(len) = rest.first_chunk().map(|len| u32::from_be_bytes(*len) as usize)
            && let Some(after) = rest.get(len.max(1)..)
        {
            (rest, count) = (after, count + 1);
        }
        count
    }
}

/// A connection that pulls.
pub struct PullPipeline {
    wire: Wire,
    clock: Clock,
    config: PullPipelineConfig,
}

impl PullPipeline {
    /// Connects to a broker.
    ///
    /// # Errors
    /// As [`Net::connect`].
    pub async fn connect(
        net: &Net,
        clock: &Clock,
        address: &str,
        config: PullPipelineConfig,
    ) -> Result<Self, PipelineError> {
        let stream = net.connect(address, CONNECT_MAX).await?;
        Ok(Self { wire: Wire::new(stream), clock: clock.clone(), config })
    }

    /// Reads every lane to its end. `page` is called for each answer that brought messages. A lane
    /// ends early when the broker says that there is nothing more, or refuses; where it stopped is
    /// in the returned lanes.
    ///
    /// # Errors
    /// The connection failed, or what came makes no sense.
    pub async fn run(
        &mut self,
        lanes: Vec<PullLane>,
        mut page: impl FnMut(PullPage),
    ) -> Result<Vec<PullLane>, PipelineError> {
        let mut lanes: Vec<Lane> =
            lanes.into_iter().map(|at| Lane { at, asked: None, ended: false }).collect();
        poll_fn(|context| self.step(context, &mut lanes, &mut page)).await?;
        Ok(lanes.into_iter().map(|lane| lane.at).collect())
    }

    fn step(
        &mut self,
        context: &mut Context<'_>,
        lanes: &mut [Lane],
        page: &mut impl FnMut(PullPage),
    ) -> Poll<Result<(), PipelineError>> {
        loop {
            self.ask(lanes);
            if lanes.iter().all(|lane| lane.asked.is_none()) {
                return Poll::Ready(Ok(()));
            }
            let wrote = self.wire.write(context)?;
            let read = self.wire.read(context)?;
            while let Some(frame) = self.wire.frame()? {
                let command = frame.decode()?;
                if command.is_response() {
                    self.take(command, lanes, page)?;
                }
            }
            if !wrote && !read {
                return Poll::Pending;
            }
        }
    }

    /// Asks for the next page of every lane that waits for none and is not at its end. The opaque
    /// is the lane's number.
    fn ask(&mut self, lanes: &mut [Lane]) {
        let now = self.clock.monotonic();
        for (number, lane) in lanes.iter_mut().enumerate() {
            if lane.asked.is_some() || lane.ended || lane.at.next >= lane.at.end {
                continue;
            }
            let header = PullMessageRequestHeader {
                consumer_group: self.config.group.clone(),
                topic: self.config.topic.clone(),
                queue_id: lane.at.queue_id as i32,
                queue_offset: lane.at.next.0 as i64,
                max_msg_nums: self.config.count_max as i32,
                sys_flag: SUBSCRIPTION,
                subscription: Some("*".to_owned()),
                broker_name: Some(self.config.broker_name.clone()),
                ..PullMessageRequestHeader::default()
            };
            let mut command = RemotingCommand::request(RequestCode::PULL_MESSAGE, &header);
            command.opaque = number as i32;
            command.encode(&mut self.wire.out);
            lane.asked = Some(now);
        }
    }

    fn take(
        &mut self,
        answer: RemotingCommand,
        lanes: &mut [Lane],
        page: &mut impl FnMut(PullPage),
    ) -> Result<(), PipelineError> {
        let opaque = answer.opaque;
        let lane = usize::try_from(opaque).ok().and_then(|number| lanes.get_mut(number));
        let asked = lane.and_then(|lane| Some((lane.asked.take()?, lane)));
        let (asked, lane) = asked.ok_or(PipelineError::Opaque { opaque })?;
        let header = answer.header::<PullMessageResponseHeader>().ok();
        let next = header.map(|header| QueueOffset(header.next_begin_offset.max(0) as u64));
        let code = answer.response_code();
        let moves = code == ResponseCode::SUCCESS || code == ResponseCode::PULL_RETRY_IMMEDIATELY;
        let Some(next) = next.filter(|next| moves && *next > lane.at.next) else {
            lane.ended = true;
            return Ok(());
        };
        let from = std::mem::replace(&mut lane.at.next, next);
        if code == ResponseCode::SUCCESS {
            let latency = self.clock.monotonic().since(asked);
            let (queue_id, records) = (lane.at.queue_id, answer.body);
            page(PullPage { queue_id, from, next, records, latency });
        }
        Ok(())
    }
}

/// A lane under way.
struct Lane {
    at: PullLane,
    /// When the pull in flight was asked for.
    asked: Option<Monotonic>,
    ended: bool,
}
