//! Sends messages: a queue in turn, away from brokers that failed, again elsewhere if need be.

mod attempt_once;
mod parcel;
mod result;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use message::{Message, MessageQueue};
use protocol::ResponseCode;
use runtime::Monotonic;

use crate::attempt::{Attempt, AttemptOutcome, is_worth_a_retry};
use crate::client::Client;
use crate::config::ProducerConfig;
use crate::error::{ClientError, SendError};
use crate::fault::Faults;
use crate::group;
use crate::route::Route;
use attempt_once::{Aim, Sender, Try};
use parcel::Parcel;
pub use result::{SendResult, SendStatus};

/// A producer. Clones are the same producer.
#[derive(Clone)]
pub struct Producer(Arc<Shared>);

struct Shared {
    sender: Sender,
    /// Counts the sends, for whose turn it is.
    turn: AtomicUsize,
    faults: Mutex<Faults>,
}

impl Producer {
    /// Starts a producer of the group.
    ///
    /// # Errors
    /// [`ClientError::Group`] when no broker takes that name.
    pub fn start(
        client: &Client,
        group: &str,
        config: ProducerConfig,
    ) -> Result<Self, ClientError> {
        group::validate(group)?;
        client.0.registry.add_producer(group);
        client.introduce();
        // Producers that start together do not all begin with the same queue.
        let turn = AtomicUsize::new(client.0.rng.below(1 << 16) as usize);
        let sender = Sender { client: client.clone(), group: group.to_owned(), config };
        Ok(Self(Arc::new(Shared { sender, turn, faults: Mutex::default() })))
    }

    /// Sends a message to a queue of its topic in turn. After a failure another broker is tried,
    /// within one deadline for all attempts.
    ///
    /// # Errors
    /// [`SendError::Rejected`] when it is certainly not stored, [`SendError::Unknown`] when it may
    /// be, the others when nothing was tried.
    pub async fn send(&self, message: Message) -> Result<SendResult, SendError> {
        self.send_parcel(Parcel::single(message)).await
    }

    /// Sends a message to this queue, in one attempt.
    ///
    /// # Errors
    /// As [`Producer::send`].
    pub async fn send_to(
        &self,
        queue: &MessageQueue,
        message: Message,
    ) -> Result<SendResult, SendError> {
        let mut parcel = Parcel::single(message);
        let deadline = self.prepare(&mut parcel)?;
        let route = self.route(&parcel, deadline).await?;
        match self.attempt(&aim(0, queue, &route, deadline), &mut parcel).await {
            Try::Stored(result) => Ok(SendResult { attempts: vec![result.1], ..result.0 }),
            Try::Failed(attempt) => Err(conclude(vec![attempt])),
        }
    }

    /// Sends messages of one topic as one batch: they get consecutive offsets in one queue.
    ///
    /// # Errors
    /// As [`Producer::send`].
    pub async fn send_batch(&self, messages: Vec<Message>) -> Result<SendResult, SendError> {
        self.send_parcel(Parcel::batch(messages)).await
    }

    /// Sends a message without waiting for an answer: it may be stored or not. Returns the queue
    /// it went to.
    ///
    /// # Errors
    /// [`SendError::Rejected`] when it did not leave, the others when nothing was tried.
    pub async fn send_oneway(&self, message: Message) -> Result<MessageQueue, SendError> {
        let mut parcel = Parcel::single(message);
        let deadline = self.prepare(&mut parcel)?;
        let route = self.route(&parcel, deadline).await?;
        let turn = self.0.turn.fetch_add(1, Ordering::Relaxed);
        let queue = self.choose(&route, turn, None, parcel.topic())?;
        match self.0.sender.oneway(&aim(0, &queue, &route, deadline), &mut parcel).await {
            Ok(()) => Ok(queue),
            Err(attempt) => Err(conclude(vec![attempt])),
        }
    }

    /// The queues of a topic that can be sent to, sorted.
    ///
    /// # Errors
    /// [`ClientError::TopicUnknown`], or what kept the name servers from answering.
    pub async fn queues(&self, topic: &str) -> Result<Vec<MessageQueue>, ClientError> {
        let sender = &self.0.sender;
        let queues_max = sender.config.default_topic_queue_nums;
        Ok(sender.client.route_to_send(topic, queues_max).await?.publish.clone())
    }

    /// Tells the brokers that the group's producer leaves.
    pub async fn shutdown(&self) {
        let Sender { client, group, .. } = &self.0.sender;
        if client.0.registry.remove_producer(group) {
            client.unregister(Some(group), None).await;
        }
    }

    async fn send_parcel(&self, mut parcel: Parcel) -> Result<SendResult, SendError> {
        let deadline = self.prepare(&mut parcel)?;
        let sender = &self.0.sender;
        let mut turn = self.0.turn.fetch_add(1, Ordering::Relaxed);
        let mut attempts: Vec<Attempt> = Vec::new();
        for number in 0..=sender.config.retries_max {
            if number > 0 && sender.client.0.clock.monotonic() >= deadline {
                break;
            }
            // The route is asked for again each time: a poll may have put it right in between.
            let route = match self.route(&parcel, deadline).await {
                Ok(route) => route,
                Err(error) if attempts.is_empty() => return Err(error),
                Err(_) => break,
            };
            let failed = attempts.last().map(|attempt| attempt.queue.broker_name.as_str());
            let queue = self.choose(&route, turn, failed, parcel.topic())?;
            match self.attempt(&aim(number, &queue, &route, deadline), &mut parcel).await {
                Try::Stored((result, attempt)) => {
                    attempts.push(attempt);
                    return Ok(SendResult { attempts, ..result });
                }
                Try::Failed(attempt) => {
                    let again = is_worth_another(&attempt.outcome);
                    attempts.push(attempt);
                    if !again {
                        break;
                    }
                }
            }
            turn = turn.wrapping_add(1);
        }
        Err(conclude(attempts))
    }

    /// Checks and stamps the parcel; returns the deadline of all its attempts.
    fn prepare(&self, parcel: &mut Parcel) -> Result<Monotonic, SendError> {
        let Sender { client, config, .. } = &self.0.sender;
        parcel.check(config.body_size_max)?;
        parcel.stamp(|| client.unique_id());
        Ok(client.0.clock.monotonic() + config.send_timeout)
    }

    async fn route(&self, parcel: &Parcel, deadline: Monotonic) -> Result<Arc<Route>, SendError> {
        let Sender { client, config, .. } = &self.0.sender;
        let route = client.route_to_send(parcel.topic(), config.default_topic_queue_nums);
        match client.0.clock.timeout_at(deadline, route).await {
            Ok(route) => Ok(route?),
            Err(_) => Err(ClientError::RouteTimeout { topic: parcel.topic().to_owned() }.into()),
        }
    }

    fn choose(
        &self,
        route: &Route,
        turn: usize,
        just_failed: Option<&str>,
        topic: &str,
    ) -> Result<MessageQueue, SendError> {
        let now = self.0.sender.client.0.clock.monotonic();
        let queue = self.faults().choose(&route.publish, turn, just_failed, now).cloned();
        queue.ok_or_else(|| ClientError::TopicUnknown { topic: topic.to_owned() }.into())
    }

    /// One attempt, and what it teaches about the broker.
    async fn attempt(&self, aim: &Aim<'_>, parcel: &mut Parcel) -> Try {
        let (sender, queue) = (&self.0.sender, aim.queue);
        let tried = sender.attempt(aim, parcel).await;
        match &tried {
            Try::Stored(_) => self.faults().succeeded(&queue.broker_name),
            Try::Failed(attempt) if is_worth_another(&attempt.outcome) => {
                let now = sender.client.0.clock.monotonic();
                self.faults().failed(&queue.broker_name, now, sender.config.avoid_pause);
                sender.client.doubt_routes();
            }
            Try::Failed(_) => {}
        }
        tried
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.0.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn aim<'a>(number: u32, queue: &'a MessageQueue, route: &'a Route, deadline: Monotonic) -> Aim<'a> {
    Aim { number, queue, address: route.master(&queue.broker_name), deadline }
}

/// Whether another broker may do better.
fn is_worth_another(outcome: &AttemptOutcome) -> bool {
    match outcome {
        AttemptOutcome::Answered { code, .. } => is_worth_a_retry(*code),
        AttemptOutcome::NotSent { .. } | AttemptOutcome::Unknown { .. } => true,
    }
}

/// What failed attempts add up to: one unknown makes the whole unknown.
fn conclude(attempts: Vec<Attempt>) -> SendError {
    let unknown = attempts.iter().rev().find_map(|attempt| match &attempt.outcome {
        AttemptOutcome::Unknown { reason } => Some(reason.clone()),
        _ => None,
    });
    if let Some(reason) = unknown {
        return SendError::Unknown { reason, attempts };
    }
    let answer = attempts.iter().rev().find_map(|attempt| match &attempt.outcome {
        AttemptOutcome::Answered { code, remark } => Some((*code, remark.clone())),
        _ => None,
    });
    let (code, remark) = answer.unwrap_or_else(|| {
        let reason = attempts.last().map(|attempt| match &attempt.outcome {
            AttemptOutcome::NotSent { reason } => reason.clone(),
            _ => String::new(),
        });
        (ResponseCode::SYSTEM_ERROR, reason)
    });
    SendError::Rejected { code, remark: remark.unwrap_or_default(), attempts }
}
