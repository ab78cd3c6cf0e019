//! A world with a name server, a broker and a client, and the requests that tests make.

use std::sync::Arc;
use std::time::Duration;

use broker::{Broker, BrokerConfig};
use bytes::Bytes;
use message::MessageExt;
use namesrv::{Namesrv, NamesrvConfig};
use protocol::header::{
    PullMessageRequestHeader, PullMessageResponseHeader, QueryConsumerOffsetRequestHeader,
    QueryConsumerOffsetResponseHeader, SendMessageRequestHeader, SendMessageResponseHeader,
    UpdateConsumerOffsetRequestHeader,
};
use protocol::{CommandHeader, RemotingCommand, RequestCode, ResponseCode};
use remoting::{Client, ClientConfig, Handles};
use sim::{Control, Node, World};
use store::{FlushMode, StoreConfig};

pub(crate) const TOPIC: &str = "TopicTest";
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// Where things run.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) control: Control,
    pub(crate) broker: Node,
    pub(crate) namesrv: Node,
    pub(crate) client: Node,
    remoting: Client,
    config: BrokerConfig,
}

/// A broker's configuration, small enough that segments roll within a test.
pub(crate) fn config(flush: FlushMode) -> BrokerConfig {
    let store = StoreConfig {
        index_slots: 16,
        index_entries: 20,
        segment_size: 64 << 10,
        queue_segment_entries: 64,
        flush,
        ..StoreConfig::default()
    };
    BrokerConfig {
        listen: "broker:10911".to_owned(),
        namesrv: vec!["namesrv:9876".to_owned()],
        ..BrokerConfig::new("broker-a", store)
    }
}

/// Runs a scenario in a fresh world, with everything started.
pub(crate) fn run<F: Future<Output = ()>>(
    seed: u64,
    config: BrokerConfig,
    scenario: impl FnOnce(Scene) -> F,
) {
    let world = World::new(seed);
    let (namesrv, broker) = (world.node("namesrv"), world.node("broker"));
    let client = world.node("client");
    let handles = Handles::from(&world.runtime(&client));
    let remoting = Client::new(handles, None, ClientConfig::default());
    let scene = Scene { control: world.control(), broker, namesrv, client, remoting, config };
    world.block_on(async {
        scene.start_namesrv().await;
        let _running = scene.start_broker().await;
        scenario(scene.clone()).await;
    });
}

impl Scene {
    /// Starts the name server on its node.
    pub(crate) async fn start_namesrv(&self) {
        let runtime = self.control.runtime(&self.namesrv);
        let started = self.control.on(&self.namesrv, async move {
            let config =
                NamesrvConfig { listen: "namesrv:9876".to_owned(), ..NamesrvConfig::default() };
            Namesrv::start(&runtime, config).await.map(drop)
        });
        started.await.expect("the node lives").expect("the name server starts");
    }

    /// Starts the broker on its node.
    pub(crate) async fn start_broker(&self) -> Arc<Broker> {
        let (runtime, config) = (self.control.runtime(&self.broker), self.config.clone());
        let started =
            self.control.on(&self.broker, async move { Broker::start(&runtime, config).await });
        Arc::new(started.await.expect("the node lives").expect("the broker starts"))
    }

    /// Takes the broker's power, and starts it again.
    pub(crate) async fn power_cycle(&self) -> Arc<Broker> {
        self.control.power_fail(&self.broker);
        self.control.sleep(SECOND).await;
        self.control.restart(&self.broker);
        // The old connection is half open: whoever used it would get a reset for an answer.
        self.disconnect();
        self.start_broker().await
    }

    /// Kills the broker's process, and starts it again.
    pub(crate) async fn restart(&self) -> Arc<Broker> {
        self.control.kill(&self.broker);
        self.control.restart(&self.broker);
        self.start_broker().await
    }

    /// Asks the broker.
    pub(crate) async fn ask(&self, request: RemotingCommand) -> RemotingCommand {
        let answer = self.try_ask(request).await;
        answer.expect("the broker answers")
    }

    /// Asks the broker; `None` when no answer comes in 40 s.
    pub(crate) async fn try_ask(&self, request: RemotingCommand) -> Option<RemotingCommand> {
        let remoting = self.remoting.clone();
        let answer = self.control.on(&self.client, async move {
            remoting.request("broker:10911", request, 40 * SECOND).await.ok()
        });
        answer.await.flatten()
    }

    /// Asks with that header.
    pub(crate) async fn request(
        &self,
        code: RequestCode,
        header: &impl CommandHeader,
    ) -> RemotingCommand {
        self.ask(RemotingCommand::request(code, header)).await
    }

    /// Sends one message to queue 0 of [`TOPIC`].
    pub(crate) async fn send(&self, body: &str) -> Sent {
        self.send_as(&send_header(""), body).await
    }

    /// Sends with that header.
    pub(crate) async fn send_as(&self, header: &SendMessageRequestHeader, body: &str) -> Sent {
        Sent::of(self.ask(send_request(header, body)).await)
    }

    /// Pulls from queue 0 of [`TOPIC`], not held.
    pub(crate) async fn pull(&self, from: i64) -> Pulled {
        self.pull_as(pull_header(from)).await
    }

    /// Pulls with that header.
    pub(crate) async fn pull_as(&self, header: PullMessageRequestHeader) -> Pulled {
        Pulled::of(self.request(RequestCode::PULL_MESSAGE, &header).await)
    }

    /// Commits for queue 0 of [`TOPIC`].
    pub(crate) async fn commit(&self, group: &str, offset: i64) {
        let header = commit_header(group, offset);
        let reply = self.request(RequestCode::UPDATE_CONSUMER_OFFSET, &header).await;
        assert_eq!(reply.response_code(), ResponseCode::SUCCESS);
    }

    /// The same without an answer, as consumers do it.
    pub(crate) async fn commit_oneway(&self, group: &str, offset: i64) {
        let header = commit_header(group, offset);
        let commit = RemotingCommand::request(RequestCode::UPDATE_CONSUMER_OFFSET, &header);
        let remoting = self.remoting.clone();
        let sent = self
            .control
            .on(&self.client, async move { remoting.oneway("broker:10911", commit).await });
        sent.await.expect("the node lives").expect("it leaves");
    }

    /// What is committed for queue 0 of [`TOPIC`].
    pub(crate) async fn committed(&self, group: &str) -> Result<i64, ResponseCode> {
        let header = QueryConsumerOffsetRequestHeader {
            consumer_group: group.into(),
            topic: TOPIC.into(),
            ..QueryConsumerOffsetRequestHeader::default()
        };
        let reply = self.request(RequestCode::QUERY_CONSUMER_OFFSET, &header).await;
        match reply.response_code() {
            ResponseCode::SUCCESS => {
                let header: QueryConsumerOffsetResponseHeader = header_of(&reply);
                Ok(header.offset)
            }
            code => Err(code),
        }
    }

    /// A connection of its own, as another client would have.
    pub(crate) fn another_client(&self) -> Scene {
        let handles = Handles::from(&self.control.runtime(&self.client));
        Scene { remoting: Client::new(handles, None, ClientConfig::default()), ..self.clone() }
    }

    /// A connection of its own that serves what the broker asks.
    pub(crate) fn serving_client(&self, service: Arc<dyn remoting::Service>) -> Scene {
        let handles = Handles::from(&self.control.runtime(&self.client));
        let remoting = Client::new(handles, Some(service), ClientConfig::default());
        Scene { remoting, ..self.clone() }
    }

    /// Closes this client's connection to the broker.
    pub(crate) fn disconnect(&self) {
        self.remoting.close_connection("broker:10911");
    }
}

fn commit_header(group: &str, offset: i64) -> UpdateConsumerOffsetRequestHeader {
    UpdateConsumerOffsetRequestHeader {
        consumer_group: group.into(),
        topic: TOPIC.into(),
        commit_offset: offset,
        ..UpdateConsumerOffsetRequestHeader::default()
    }
}

/// A header for queue 0 of [`TOPIC`].
pub(crate) fn send_header(properties: &str) -> SendMessageRequestHeader {
    SendMessageRequestHeader {
        producer_group: "PG".into(),
        topic: TOPIC.into(),
        default_topic: "TBW102".into(),
        default_topic_queue_nums: 4,
        properties: properties.into(),
        born_timestamp: 1_795_167_264_267,
        ..SendMessageRequestHeader::default()
    }
}

/// A SEND_MESSAGE_V2.
pub(crate) fn send_request(header: &SendMessageRequestHeader, body: &str) -> RemotingCommand {
    RemotingCommand::request(RequestCode::SEND_MESSAGE_V2, header)
        .with_body(Bytes::copy_from_slice(body.as_bytes()))
}

/// A pull from queue 0 of [`TOPIC`] of everything, not held.
pub(crate) fn pull_header(from: i64) -> PullMessageRequestHeader {
    PullMessageRequestHeader {
        consumer_group: "CG".into(),
        topic: TOPIC.into(),
        queue_offset: from,
        max_msg_nums: 32,
        sys_flag: 4,
        suspend_timeout_millis: 15_000,
        subscription: Some("*".into()),
        ..PullMessageRequestHeader::default()
    }
}

pub(crate) fn header_of<H: CommandHeader>(reply: &RemotingCommand) -> H {
    reply.header().expect("the answer has its header")
}

/// The answer to a send.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) code: ResponseCode,
    pub(crate) remark: String,
    /// Only where the message is stored.
    pub(crate) header: Option<SendMessageResponseHeader>,
}

impl Sent {
    pub(crate) fn of(reply: RemotingCommand) -> Self {
        let header = reply.header().ok();
        let code = reply.response_code();
        Self { code, remark: reply.remark.unwrap_or_default(), header }
    }

    pub(crate) fn queue_offset(&self) -> i64 {
        self.header.as_ref().expect("the message is stored").queue_offset
    }
}

/// The answer to a pull.
#[derive(Debug)]
pub(crate) struct Pulled {
    pub(crate) code: ResponseCode,
    pub(crate) remark: String,
    pub(crate) header: PullMessageResponseHeader,
    pub(crate) messages: Vec<MessageExt>,
}

impl Pulled {
    pub(crate) fn of(reply: RemotingCommand) -> Self {
        let messages = message::record::decode_all(reply.body.clone()).expect("whole records");
        Self {
            code: reply.response_code(),
            remark: reply.remark.clone().unwrap_or_default(),
            header: header_of(&reply),
            messages,
        }
    }

    pub(crate) fn bodies(&self) -> Vec<String> {
        let text = |m: &MessageExt| String::from_utf8_lossy(&m.message.body).into_owned();
        self.messages.iter().map(text).collect()
    }
}
