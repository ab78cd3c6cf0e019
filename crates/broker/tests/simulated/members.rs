//! Groups: who is a member, who is told of changes, who holds a queue.

use std::sync::{Arc, Mutex};

use message::{MessageQueue, topic};
use protocol::body::{
    CheckClientRequestBody, ConsumerData, GetConsumerListByGroupResponseBody, HeartbeatData,
    LockBatchRequestBody, LockBatchResponseBody, SubscriptionData, UnlockBatchRequestBody,
};
use protocol::header::{
    GetConsumerListByGroupRequestHeader, PullMessageRequestHeader, UnregisterClientRequestHeader,
};
use protocol::{RemotingCommand, RequestCode, ResponseCode};
use remoting::{Connection, Reply, Service};
use runtime::Boxed;
use store::FlushMode;

use crate::scene::{SECOND, Scene, TOPIC, config, pull_header, run};

fn heartbeat(client: &str, version: i64, expression: &str) -> RemotingCommand {
    let subscription = SubscriptionData {
        sub_version: version,
        ..SubscriptionData::for_tags(TOPIC, expression).expect("tags")
    };
    let consumer = ConsumerData {
        group_name: "CG".into(),
        subscription_data_set: vec![subscription],
        ..ConsumerData::default()
    };
    let data = HeartbeatData {
        client_id: client.into(),
        consumer_data_set: vec![consumer],
        ..HeartbeatData::default()
    };
    RemotingCommand::request_without_header(RequestCode::HEART_BEAT).with_body(data.encode())
}

async fn beat(scene: &Scene, client: &str) {
    let reply = scene.ask(heartbeat(client, 1, "*")).await;
    assert_eq!(reply.response_code(), ResponseCode::SUCCESS);
    assert!(reply.version >= 232, "SQL consumers look at the version");
}

async fn members(scene: &Scene) -> Vec<String> {
    let header = GetConsumerListByGroupRequestHeader {
        consumer_group: "CG".into(),
        ..GetConsumerListByGroupRequestHeader::default()
    };
    let reply = scene.request(RequestCode::GET_CONSUMER_LIST_BY_GROUP, &header).await;
    if reply.response_code() != ResponseCode::SUCCESS {
        return Vec::new();
    }
    let body = GetConsumerListByGroupResponseBody::decode(&reply.body).expect("a list");
    body.consumer_id_list
}

/// Counts what it is told.
#[derive(Default)]
struct Told(Mutex<Vec<i32>>);

impl Service for Told {
    fn serve(&self, _: Connection, request: RemotingCommand) -> Boxed<'static, Option<Reply>> {
        self.0.lock().expect("nobody panicked").push(request.code);
        Box::pin(async { None })
    }
}

impl Told {
    fn take(&self) -> Vec<i32> {
        std::mem::take(&mut self.0.lock().expect("nobody panicked"))
    }
}

#[test]
fn members_are_listed_and_told_of_each_change() {
    run(21, config(FlushMode::Async), async |scene| {
        let told = Arc::new(Told::default());
        let first = scene.serving_client(told.clone());
        beat(&first, "a").await;
        assert_eq!(members(&first).await, ["a"]);
        scene.control.sleep(SECOND).await;
        assert_eq!(told.take(), [40]);

        let second = scene.another_client();
        beat(&second, "b").await;
        assert_eq!(members(&first).await, ["a", "b"]);
        scene.control.sleep(SECOND).await;
        assert_eq!(told.take(), [40]);
        beat(&second, "b").await;
        scene.control.sleep(SECOND).await;
        assert_eq!(told.take(), [0; 0], "nothing changed");

        second.disconnect();
        scene.control.sleep(SECOND).await;
        assert_eq!(told.take(), [40]);
        assert_eq!(members(&first).await, ["a"]);

        let leave = UnregisterClientRequestHeader {
            client_id: "a".into(),
            consumer_group: Some("CG".into()),
            producer_group: Some(String::new()),
            ..UnregisterClientRequestHeader::default()
        };
        let reply = first.request(RequestCode::UNREGISTER_CLIENT, &leave).await;
        assert_eq!(reply.response_code(), ResponseCode::SUCCESS);
        assert!(members(&first).await.is_empty());
    });
}

#[test]
fn a_client_whose_machine_vanished_is_forgotten_after_two_minutes() {
    run(22, config(FlushMode::Async), async |scene| {
        let other = scene.control.node("other");
        let handles = remoting::Handles::from(&scene.control.runtime(&other));
        let remoting = remoting::Client::new(handles, None, remoting::ClientConfig::default());
        let asked = remoting.clone();
        let answer = scene.control.on(&other, async move {
            asked.request("broker:10911", heartbeat("gone", 1, "*"), 3 * SECOND).await
        });
        answer.await.expect("the node lives").expect("the broker answers");
        assert_eq!(members(&scene).await, ["gone"]);
        scene.control.power_fail(&other);
        scene.control.sleep(100 * SECOND).await;
        beat(&scene, "a").await;
        scene.control.sleep(35 * SECOND).await;
        assert_eq!(members(&scene).await, ["a"]);
    });
}

#[test]
fn a_heartbeat_makes_the_groups_retry_topic() {
    run(23, config(FlushMode::Async), async |scene| {
        beat(&scene, "a").await;
        let retry = PullMessageRequestHeader { topic: topic::retry("CG"), ..pull_header(0) };
        assert_eq!(scene.pull_as(retry).await.code, ResponseCode::PULL_NOT_FOUND);
    });
}

#[test]
fn a_pull_uses_what_the_heartbeat_subscribed_and_waits_for_a_newer_one() {
    run(24, config(FlushMode::Async), async |scene| {
        for (body, tag) in [("a", "TagA"), ("b", "TagB")] {
            let header = crate::scene::send_header(&format!("TAGS\u{1}{tag}"));
            scene.send_as(&header, body).await;
        }
        scene.ask(heartbeat("a", 5, "TagB")).await;
        let pull = |version| PullMessageRequestHeader {
            sys_flag: 0,
            subscription: None,
            sub_version: version,
            ..pull_header(0)
        };
        assert_eq!(scene.pull_as(pull(5)).await.bodies(), ["b"]);
        let request = RemotingCommand::request(RequestCode::PULL_MESSAGE, &pull(6));
        let early = scene.ask(request).await;
        assert_eq!(early.response_code(), ResponseCode::SUBSCRIPTION_NOT_LATEST);
        scene.ask(heartbeat("a", 6, "TagA")).await;
        assert_eq!(scene.pull_as(pull(6)).await.bodies(), ["a"]);
    });
}

#[test]
fn a_queue_is_held_by_one_client_until_it_gives_it_back_or_falls_silent() {
    run(25, config(FlushMode::Async), async |scene| {
        let queue = MessageQueue::new(TOPIC, "broker-a", 0);
        let lock = async |client: &str| {
            let body = LockBatchRequestBody {
                client_id: client.into(),
                consumer_group: "CG".into(),
                mq_set: vec![queue.clone()],
            };
            let request = RemotingCommand::request_without_header(RequestCode::LOCK_BATCH_MQ);
            let reply = scene.ask(request.with_body(body.encode())).await;
            let body = LockBatchResponseBody::decode(&reply.body).expect("a list");
            body.lock_ok_mq_set.len()
        };
        assert_eq!((lock("a").await, lock("b").await), (1, 0));
        // A jump of the wall clock frees nothing.
        sim::fault::clock::jump(&scene.control, &scene.broker, 3_600_000);
        assert_eq!(lock("b").await, 0);
        let body = UnlockBatchRequestBody {
            client_id: "a".into(),
            consumer_group: "CG".into(),
            mq_set: vec![queue.clone()],
        };
        let request = RemotingCommand::request_without_header(RequestCode::UNLOCK_BATCH_MQ);
        scene.ask(request.with_body(body.encode())).await;
        assert_eq!((lock("b").await, lock("a").await), (1, 0));
        scene.control.sleep(61 * SECOND).await;
        assert_eq!(lock("a").await, 1);
    });
}

#[test]
fn tags_are_accepted_as_a_filter_and_sql_is_not_yet() {
    run(26, config(FlushMode::Async), async |scene| {
        for (kind, code) in [("TAG", ResponseCode::SUCCESS), ("SQL92", ResponseCode::SYSTEM_ERROR)]
        {
            let body = CheckClientRequestBody {
                subscription_data: SubscriptionData {
                    expression_type: kind.into(),
                    ..SubscriptionData::default()
                },
                ..CheckClientRequestBody::default()
            };
            let request = RemotingCommand::request_without_header(RequestCode::CHECK_CLIENT_CONFIG);
            let reply = scene.ask(request.with_body(body.encode())).await;
            assert_eq!(reply.response_code(), code);
        }
    });
}
