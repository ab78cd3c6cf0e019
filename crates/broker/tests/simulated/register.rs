//! Name servers know the broker soon, each on its own, and forget it when it leaves.

use protocol::body::TopicRouteData;
use protocol::header::{CreateTopicRequestHeader, GetRouteInfoRequestHeader};
use protocol::{RemotingCommand, RequestCode, ResponseCode};
use remoting::{Client, ClientConfig, Handles};
use sim::fault::{partition, wiped_disk};
use store::FlushMode;

use crate::scene::{SECOND, Scene, TOPIC, config, run};

async fn route(scene: &Scene, topic: &str) -> Option<TopicRouteData> {
    let handles = Handles::from(&scene.control.runtime(&scene.client));
    let header =
        GetRouteInfoRequestHeader { topic: topic.into(), ..GetRouteInfoRequestHeader::default() };
    let request = RemotingCommand::request(RequestCode::GET_ROUTEINFO_BY_TOPIC, &header);
    let answer = scene.control.on(&scene.client, async move {
        let client = Client::new(handles, None, ClientConfig::default());
        client.request("namesrv:9876", request, 3 * SECOND).await
    });
    let reply = answer.await.expect("the node lives").expect("the name server answers");
    (reply.response_code() == ResponseCode::SUCCESS)
        .then(|| TopicRouteData::decode(&reply.body).expect("a route"))
}

async fn create(scene: &Scene, topic: &str) {
    let header = CreateTopicRequestHeader {
        topic: topic.into(),
        default_topic: "TBW102".into(),
        read_queue_nums: 3,
        write_queue_nums: 3,
        perm: 6,
        topic_filter_type: "SINGLE_TAG".into(),
        ..CreateTopicRequestHeader::default()
    };
    let reply = scene.request(RequestCode::UPDATE_AND_CREATE_TOPIC, &header).await;
    assert_eq!(reply.response_code(), ResponseCode::SUCCESS);
}

#[test]
fn a_topic_is_in_the_route_when_its_creation_is_answered() {
    run(51, config(FlushMode::Sync), async |scene| {
        assert!(route(&scene, "TBW102").await.is_some());
        assert!(route(&scene, "Created").await.is_none());
        create(&scene, "Created").await;
        let found = route(&scene, "Created").await.expect("it is registered");
        assert_eq!(found.queue_datas[0].write_queue_nums, 3);
        let broker = &found.broker_datas[0];
        assert_eq!(broker.broker_name, "broker-a");
        assert_eq!(broker.broker_addrs[&0], format!("{}:10911", scene.broker.ip()));
    });
}

#[test]
fn a_topic_made_by_a_send_is_in_the_route_within_a_second() {
    run(52, config(FlushMode::Async), async |scene| {
        scene.send("made").await;
        scene.control.sleep(SECOND).await;
        assert!(route(&scene, TOPIC).await.is_some());
    });
}

#[test]
fn a_name_server_that_restarted_knows_the_broker_again_at_once() {
    run(53, config(FlushMode::Async), async |scene| {
        scene.control.kill(&scene.namesrv);
        scene.control.sleep(SECOND).await;
        scene.control.restart(&scene.namesrv);
        scene.start_namesrv().await;
        scene.control.sleep(8 * SECOND).await;
        assert!(route(&scene, "TBW102").await.is_some());
    });
}

#[test]
fn a_creation_is_answered_although_the_name_server_cannot_be_reached() {
    run(54, config(FlushMode::Async), async |scene| {
        partition::both_ways(&scene.control, &scene.broker, &scene.namesrv);
        let begun = scene.control.elapsed();
        create(&scene, "Created").await;
        assert!(scene.control.elapsed() - begun < 3 * SECOND);
        partition::heal(&scene.control, &scene.broker, &scene.namesrv);
        scene.control.sleep(60 * SECOND).await;
        assert!(route(&scene, "Created").await.is_some());
    });
}

#[test]
fn a_broker_with_a_new_disk_takes_its_topics_out_of_the_route() {
    run(56, config(FlushMode::Sync), async |scene| {
        create(&scene, "Created").await;
        // Its connection stays half open: the name server does not see that it went.
        scene.control.power_fail(&scene.broker);
        wiped_disk::wipe(&scene.control, &scene.broker);
        scene.control.sleep(SECOND).await;
        assert!(route(&scene, "Created").await.is_some());
        scene.control.restart(&scene.broker);
        let _broker = scene.start_broker().await;
        scene.control.sleep(SECOND).await;
        assert!(route(&scene, "TBW102").await.is_some());
        assert!(route(&scene, "Created").await.is_none(), "it has no such topic");
    });
}

#[test]
fn a_broker_that_ends_takes_leave_of_the_name_server() {
    run(55, config(FlushMode::Async), async |scene| {
        scene.control.kill(&scene.broker);
        scene.control.restart(&scene.broker);
        let broker = scene.start_broker().await;
        assert!(route(&scene, "TBW102").await.is_some());
        let ended = scene.control.on(&scene.broker, async move { broker.shutdown().await });
        ended.await.expect("the node lives").expect("it ends cleanly");
        assert!(route(&scene, "TBW102").await.is_none());
    });
}
