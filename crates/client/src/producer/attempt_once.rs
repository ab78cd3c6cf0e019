//! One attempt to send a parcel to one queue.

use message::{MessageQueue, QueueOffset};
use protocol::RemotingCommand;
use protocol::header::SendMessageResponseHeader;
use runtime::Monotonic;

use super::parcel::{Parcel, Stamp};
use super::result::{SendResult, SendStatus};
use crate::attempt::{Attempt, AttemptOutcome, Stored};
use crate::client::Client;
use crate::config::ProducerConfig;
use crate::error::ClientError;

/// What every attempt of a producer has in common.
pub(crate) struct Sender {
    pub(crate) client: Client,
    pub(crate) group: String,
    pub(crate) config: ProducerConfig,
}

/// Where an attempt goes.
pub(crate) struct Aim<'a> {
    /// 0 for the first attempt.
    pub(crate) number: u32,
    /// The queue.
    pub(crate) queue: &'a MessageQueue,
    /// Its broker's master, if the route has one.
    pub(crate) address: Option<&'a str>,
    /// When to stop waiting.
    pub(crate) deadline: Monotonic,
}

/// How an attempt ended.
pub(crate) enum Try {
    /// Stored; the result has no attempts in it yet.
    Stored((SendResult, Attempt)),
    /// Not stored, or nobody knows.
    Failed(Attempt),
}

impl Sender {
    /// Sends the parcel and waits for the answer until the deadline.
    pub(crate) async fn attempt(&self, aim: &Aim<'_>, parcel: &mut Parcel) -> Try {
        self.starting(aim, parcel);
        let (outcome, stored) = match aim.address {
            None => (not_sent(no_address(aim.queue)), None),
            Some(address) => self.ask(address, aim, parcel).await,
        };
        let attempt = self.ended(aim, outcome, stored.as_ref().map(|at| &at.1), parcel);
        match stored {
            Some((status, at)) => Try::Stored((result(status, at, parcel), attempt)),
            None => Try::Failed(attempt),
        }
    }

    /// Sends the parcel without an answer; the error says that it did not leave.
    pub(crate) async fn oneway(&self, aim: &Aim<'_>, parcel: &mut Parcel) -> Result<(), Attempt> {
        self.starting(aim, parcel);
        let remoting = &self.client.0.link.remoting;
        let command = parcel.request(aim.queue, &self.stamp()).into_oneway();
        let outcome = match aim.address {
            None => not_sent(no_address(aim.queue)),
            Some(address) => {
                let sent = remoting.oneway(address, command);
                match self.client.0.clock.timeout_at(aim.deadline, sent).await {
                    Ok(Err(error)) if !error.is_unknown() => not_sent(error),
                    Ok(Err(error)) => unknown(error),
                    Ok(Ok(())) => unknown("sent oneway"),
                    Err(elapsed) => unknown(elapsed),
                }
            }
        };
        let attempt = self.ended(aim, outcome, None, parcel);
        match attempt.outcome {
            AttemptOutcome::NotSent { .. } => Err(attempt),
            _ => Ok(()),
        }
    }

    fn starting(&self, aim: &Aim<'_>, parcel: &mut Parcel) {
        if let Some(hook) = &self.config.hook {
            hook.starting(aim.number, aim.queue, &mut parcel.messages);
        }
    }

    fn ended(
        &self,
        aim: &Aim<'_>,
        outcome: AttemptOutcome,
        stored: Option<&Stored>,
        parcel: &Parcel,
    ) -> Attempt {
        let attempt = Attempt { number: aim.number, queue: aim.queue.clone(), outcome };
        if let Some(hook) = &self.config.hook {
            hook.ended(&attempt, stored, &parcel.messages);
        }
        attempt
    }

    fn stamp(&self) -> Stamp<'_> {
        Stamp {
            group: &self.group,
            default_topic_queue_nums: self.config.default_topic_queue_nums,
            born_timestamp: self.client.0.clock.now_ms(),
        }
    }

    async fn ask(
        &self,
        address: &str,
        aim: &Aim<'_>,
        parcel: &Parcel,
    ) -> (AttemptOutcome, Option<(SendStatus, Stored)>) {
        let shared = &self.client.0;
        let timeout = aim.deadline.since(shared.clock.monotonic());
        let command = parcel.request(aim.queue, &self.stamp());
        let answer = match shared.link.remoting.request(address, command, timeout).await {
            Ok(answer) => answer,
            Err(error) if error.is_unknown() => return (unknown(error), None),
            Err(error) => return (not_sent(error), None),
        };
        let (code, remark) = (answer.response_code(), answer.remark.clone());
        let answered = AttemptOutcome::Answered { code, remark };
        let Some(status) = SendStatus::of(code) else {
            return (answered, None);
        };
        match read(&answer, aim.queue) {
            Ok(stored) => (answered, Some((status, stored))),
            // It says stored, but not where: nothing can be told about it.
            Err(reason) => (unknown(reason), None),
        }
    }
}

fn read(answer: &RemotingCommand, queue: &MessageQueue) -> Result<Stored, String> {
    let header = answer.header::<SendMessageResponseHeader>().map_err(|error| error.to_string())?;
    let offset = u64::try_from(header.queue_offset).map_err(|_| "a negative offset".to_owned())?;
    let queue_id = u32::try_from(header.queue_id).map_err(|_| "a negative queue".to_owned())?;
    Ok(Stored {
        queue: MessageQueue { queue_id, ..queue.clone() },
        queue_offset: QueueOffset(offset),
        offset_message_id: header.msg_id,
    })
}

fn result(status: SendStatus, stored: Stored, parcel: &Parcel) -> SendResult {
    SendResult {
        status,
        queue: stored.queue,
        queue_offset: stored.queue_offset,
        message_id: parcel.unique_ids(),
        offset_message_id: stored.offset_message_id,
        attempts: Vec::new(),
    }
}

fn no_address(queue: &MessageQueue) -> ClientError {
    ClientError::BrokerUnknown {
        broker_name: queue.broker_name.clone(),
        topic: queue.topic.clone(),
    }
}

fn not_sent(reason: impl ToString) -> AttemptOutcome {
    AttemptOutcome::NotSent { reason: reason.to_string() }
}

fn unknown(reason: impl ToString) -> AttemptOutcome {
    AttemptOutcome::Unknown { reason: reason.to_string() }
}
