//! An operator who wants old messages gone now: codes 329, 306 and 316.

use protocol::header::{GetMinOffsetRequestHeader, GetMinOffsetResponseHeader};
use protocol::{RemotingCommand, RequestCode, ResponseCode};
use store::{FlushMode, Retention};

use crate::scene::{SECOND, Scene, TOPIC, config, header_of, run};

const HOUR_MS: u64 = 3_600_000;

async fn wish(scene: &Scene, code: RequestCode) {
    let reply = scene.ask(RemotingCommand::request_without_header(code)).await;
    assert_eq!(reply.response_code(), ResponseCode::SUCCESS, "{:?}", reply.remark);
}

async fn lowest(scene: &Scene) -> i64 {
    let header =
        GetMinOffsetRequestHeader { topic: TOPIC.into(), ..GetMinOffsetRequestHeader::default() };
    let reply = scene.request(RequestCode::GET_MIN_OFFSET, &header).await;
    header_of::<GetMinOffsetResponseHeader>(&reply).offset
}

#[test]
fn what_is_expired_goes_when_an_operator_says_so_and_not_before() {
    let mut config = config(FlushMode::Sync);
    // Not an hour of this world's first three.
    let hours = "16".parse().expect("an hour");
    config.store.retention = Retention { reserved_ms: HOUR_MS, hours, ..Retention::default() };
    run(81, config, async |scene| {
        let body = "x".repeat(4_000);
        for _ in 0..60 {
            assert_eq!(scene.send(&body).await.code, ResponseCode::SUCCESS);
        }
        wish(&scene, RequestCode::DELETE_EXPIRED_COMMITLOG).await;
        scene.control.sleep(60 * SECOND).await;
        assert_eq!(lowest(&scene).await, 0, "nothing is expired yet");
        scene.control.sleep(7_200 * SECOND).await;
        assert_eq!(scene.send("young").await.code, ResponseCode::SUCCESS);
        scene.control.sleep(60 * SECOND).await;
        assert_eq!(lowest(&scene).await, 0, "it is not the hour");
        wish(&scene, RequestCode::DELETE_EXPIRED_COMMITLOG).await;
        scene.control.sleep(60 * SECOND).await;
        wish(&scene, RequestCode::CLEAN_EXPIRED_CONSUMEQUEUE).await;
        let first = lowest(&scene).await;
        assert!(0 < first && first <= 60, "the last segment stays: {first}");
        let pulled = scene.pull(0).await;
        assert_eq!(pulled.code, ResponseCode::PULL_OFFSET_MOVED);
        assert_eq!(pulled.header.next_begin_offset, first);
        let bodies = scene.pull(60).await.bodies();
        assert_eq!(bodies, ["young"], "what is young is still there");
        scene.power_cycle().await;
        assert_eq!(lowest(&scene).await, first, "and it is so after a power failure");
    });
}

#[test]
fn topics_that_nobody_configured_are_named_and_nothing_is_lost() {
    run(82, config(FlushMode::Sync), async |scene| {
        assert_eq!(scene.send("kept").await.code, ResponseCode::SUCCESS);
        wish(&scene, RequestCode::CLEAN_UNUSED_TOPIC).await;
        assert_eq!(scene.pull(0).await.bodies(), ["kept"]);
    });
}
