//! The end of a run: waits until every group has read everything, then reads every queue back.

use std::time::Duration;

use hotfire_client::{Client, ClientConfig, ClientError, PullConsumer, PullOptions};
use invariants::history::{Boundary, PullStatus, Question, Seen, What};
use message::MessageQueue;

use crate::reader::{ask, noted_pull};
use crate::stage::Stage;

/// Brokers register within 30 s and clients ask for routes every 30 s: before that a route may
/// lack a broker that is back, and what it holds would be passed over.
pub(crate) const ROUTES_SETTLE: Duration = Duration::from_secs(65);

/// Between two looks.
const LOOK_PAUSE: Duration = Duration::from_secs(2);

/// Something that did not come to its end in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stuck {
    /// A group has not committed all of a queue.
    #[error("group {group} stands at {committed:?} of {max} in {queue}")]
    Group {
        /// The group.
        group: String,
        /// The queue.
        queue: MessageQueue,
        /// What it has committed.
        committed: Option<u64>,
        /// The offset behind the queue's last message.
        max: u64,
    },
    /// A question about a topic or one of its queues has no answer.
    #[error("{about}: {error}")]
    Question {
        /// What was asked, of whom.
        about: String,
        /// The client's error.
        error: String,
    },
}

/// Waits until every group has committed every queue of its topics to its end. A topic that nobody
/// knows has no queues.
///
/// # Errors
/// What was still stuck after `limit`.
pub async fn drain(
    stage: &Stage,
    groups: &[(String, Vec<String>)],
    limit: Duration,
) -> Result<(), Vec<Stuck>> {
    let clock = &stage.runtime.clock;
    let deadline = clock.monotonic() + limit;
    clock.sleep(ROUTES_SETTLE).await;
    let client = client(stage, "drain");
    let stuck = loop {
        let stuck = look(&client, groups).await;
        if stuck.is_empty() || clock.monotonic() >= deadline {
            break stuck;
        }
        clock.sleep(LOOK_PAUSE).await;
    };
    client.shutdown().await;
    if stuck.is_empty() { Ok(()) } else { Err(stuck) }
}

async fn look(client: &Client, groups: &[(String, Vec<String>)]) -> Vec<Stuck> {
    let mut stuck = Vec::new();
    for (group, topics) in groups {
        let puller = PullConsumer::new(client, group).expect("it consumed under that name");
        for topic in topics {
            let queues = match queues(&puller, topic).await {
                Ok(queues) => queues,
                Err(error) => {
                    stuck.push(question(topic, &error));
                    continue;
                }
            };
            for queue in queues {
                stuck.extend(look_at(&puller, group, queue).await);
            }
        }
    }
    stuck
}

async fn look_at(puller: &PullConsumer, group: &str, queue: MessageQueue) -> Option<Stuck> {
    let asked = async {
        let max = puller.max_offset(&queue).await?;
        Ok::<_, ClientError>((puller.committed(&queue).await?, max))
    };
    match asked.await {
        // Also an empty queue is committed, once a member has begun it.
        Ok((Some(committed), max)) if committed >= max => None,
        Ok((committed, max)) => {
            let committed = committed.map(|offset| offset.0);
            Some(Stuck::Group { group: group.to_owned(), queue, committed, max: max.0 })
        }
        Err(error) => Some(question(&queue, &error)),
    }
}

/// Reads every queue of the topics from its lowest offset to its highest, and notes each pull and
/// everything that was in it.
///
/// # Errors
/// What could not be read within `limit`; the others have been noted.
pub async fn read_back(
    stage: &Stage,
    topics: &[String],
    limit: Duration,
) -> Result<(), Vec<Stuck>> {
    let client = client(stage, "read-back");
    let puller = PullConsumer::new(&client, "read-back").expect("the name is valid");
    let deadline = stage.runtime.clock.monotonic() + limit;
    let mut stuck = Vec::new();
    for topic in topics {
        match queues(&puller, topic).await {
            Err(error) => stuck.push(question(topic, &error)),
            Ok(queues) => {
                for queue in queues {
                    while let Err(error) = read_queue(stage, &puller, &queue).await {
                        if stage.runtime.clock.monotonic() >= deadline {
                            stuck.push(question(&queue, &error));
                            break;
                        }
                        stage.runtime.clock.sleep(LOOK_PAUSE).await;
                    }
                }
            }
        }
    }
    client.shutdown().await;
    if stuck.is_empty() { Ok(()) } else { Err(stuck) }
}

/// Reads one queue; nothing is noted as read back unless all of it was.
async fn read_queue(
    stage: &Stage,
    puller: &PullConsumer,
    queue: &MessageQueue,
) -> Result<(), ClientError> {
    let options = PullOptions::default();
    let (mut at, max) = (puller.min_offset(queue).await?, puller.max_offset(queue).await?);
    let mut all = Vec::new();
    while at < max {
        let pull = noted_pull(&stage.recorder, puller, (queue, at), &options).await?;
        let moves = matches!(pull.status, PullStatus::Found | PullStatus::NoMatch);
        if !moves || pull.next <= at {
            let reason = format!("a pull at {at} of {max} says {:?}", pull.status);
            let address = queue.broker_name.clone();
            return Err(ClientError::Answer { address, reason });
        }
        at = pull.next;
        all.extend(pull.seen);
    }
    let questions = questions(&all);
    stage.recorder.record(What::ReadBack { queue: queue.clone(), seen: all });
    for question in questions {
        ask(&stage.recorder, puller, queue, question).await?;
    }
    Ok(())
}

/// Times to ask for when all of a queue is known: its middle, and past its last message.
fn questions(all: &[Seen]) -> Vec<Question> {
    let (Some(middle), Some(last)) = (all.get(all.len() / 2), all.last()) else {
        return Vec::new();
    };
    vec![
        Question::Time(middle.store_timestamp, Boundary::Lower),
        Question::Time(middle.store_timestamp, Boundary::Upper),
        Question::Time(last.store_timestamp + 1, Boundary::Lower),
    ]
}

async fn queues(puller: &PullConsumer, topic: &str) -> Result<Vec<MessageQueue>, ClientError> {
    match puller.queues(topic).await {
        // Nobody ever managed to send to it.
        Err(ClientError::TopicUnknown { .. }) => Ok(Vec::new()),
        settled => settled,
    }
}

fn client(stage: &Stage, instance_name: &str) -> Client {
    let instance_name = format!("{instance_name}.{}", stage.incarnation);
    let config = ClientConfig { instance_name, ..ClientConfig::new(stage.namesrv.clone()) };
    Client::start(&stage.runtime, config)
}

fn question(about: &impl ToString, error: &ClientError) -> Stuck {
    Stuck::Question { about: about.to_string(), error: error.to_string() }
}
