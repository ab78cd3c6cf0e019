//! A name server that says what the test wants.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use protocol::body::{BrokerData, QueueData, TopicRouteData};
use protocol::header::GetRouteInfoRequestHeader;
use protocol::{RemotingCommand, RequestCode, ResponseCode};
use remoting::{Connection, Reply, Service};
use runtime::Boxed;

use crate::fake_broker::FakeBroker;
use crate::stage::TOPIC;

pub(crate) struct FakeNamesrv {
    brokers: Vec<Arc<FakeBroker>>,
    /// Whether it knows the topic of the tests, or only the template.
    pub(crate) knows_topic: AtomicBool,
    /// Routes asked for.
    pub(crate) asked: AtomicU32,
}

impl FakeNamesrv {
    pub(crate) fn new(brokers: Vec<Arc<FakeBroker>>) -> Self {
        Self { brokers, knows_topic: AtomicBool::new(true), asked: AtomicU32::new(0) }
    }

    fn route(&self, topic: &str) -> Option<TopicRouteData> {
        let knows_topic = self.knows_topic.load(Ordering::Relaxed);
        let wanted = if knows_topic { TOPIC } else { message::topic::AUTO_CREATE };
        (topic == wanted).then(|| TopicRouteData {
            queue_datas: self.brokers.iter().map(|broker| queues(broker)).collect(),
            broker_datas: self.brokers.iter().map(|broker| addresses(broker)).collect(),
            ..TopicRouteData::default()
        })
    }
}

fn queues(broker: &FakeBroker) -> QueueData {
    QueueData {
        broker_name: broker.name.clone(),
        read_queue_nums: broker.queues,
        write_queue_nums: broker.queues,
        perm: 6,
        ..QueueData::default()
    }
}

fn addresses(broker: &FakeBroker) -> BrokerData {
    BrokerData {
        broker_name: broker.name.clone(),
        broker_addrs: [(0, broker.address.clone())].into(),
        ..BrokerData::default()
    }
}

impl Service for FakeNamesrv {
    fn serve(&self, _: Connection, request: RemotingCommand) -> Boxed<'static, Option<Reply>> {
        assert_eq!(request.request_code(), RequestCode::GET_ROUTEINFO_BY_TOPIC);
        self.asked.fetch_add(1, Ordering::Relaxed);
        let header: GetRouteInfoRequestHeader = request.header().expect("a route request");
        let answer = match self.route(&header.topic) {
            Some(route) => RemotingCommand::response_to(&request, ResponseCode::SUCCESS)
                .with_body(route.encode()),
            None => RemotingCommand::response_to(&request, ResponseCode::TOPIC_NOT_EXIST),
        };
        Box::pin(async move { Some(answer.into()) })
    }
}
