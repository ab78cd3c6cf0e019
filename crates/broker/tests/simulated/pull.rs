//! Pulls: the statuses, the filter, and the wait at the tail.

use std::time::Duration;

use protocol::header::PullMessageRequestHeader;
use protocol::{RemotingCommand, RequestCode, ResponseCode};
use sim::fault::full_disk;
use store::FlushMode;

use crate::scene::{SECOND, config, pull_header, run, send_header};

/// May be held, with the subscription inline.
const HOLD: i32 = 2 | 4;

fn held(from: i64, expression: &str) -> PullMessageRequestHeader {
    PullMessageRequestHeader {
        sys_flag: HOLD,
        subscription: Some(expression.into()),
        ..pull_header(from)
    }
}

#[test]
fn every_place_in_a_queue_is_answered_with_the_way_on() {
    run(11, config(FlushMode::Async), async |scene| {
        for body in ["a", "b", "c"] {
            scene.send(body).await;
        }
        let expected = [
            (0, ResponseCode::SUCCESS, 3, "FOUND"),
            (3, ResponseCode::PULL_NOT_FOUND, 3, "OFFSET_OVERFLOW_ONE"),
            (9, ResponseCode::PULL_OFFSET_MOVED, 3, "OFFSET_OVERFLOW_BADLY"),
        ];
        for (from, code, next, remark) in expected {
            let pulled = scene.pull(from).await;
            assert_eq!((pulled.code, pulled.remark.as_str()), (code, remark));
            assert_eq!(pulled.header.next_begin_offset, next);
            assert_eq!((pulled.header.min_offset, pulled.header.max_offset), (0, 3));
        }
        let empty = PullMessageRequestHeader { queue_id: 2, ..pull_header(0) };
        assert_eq!(scene.pull_as(empty).await.code, ResponseCode::PULL_NOT_FOUND);
        let limited = PullMessageRequestHeader { max_msg_nums: 2, ..pull_header(0) };
        assert_eq!(scene.pull_as(limited).await.bodies(), ["a", "b"]);
    });
}

#[test]
fn a_filter_passes_its_tags_and_the_offset_moves_over_the_others() {
    run(12, config(FlushMode::Async), async |scene| {
        for (body, tag) in [("a", "TagA"), ("b", "TagB"), ("c", "TagA"), ("d", "TagD")] {
            scene.send_as(&send_header(&format!("TAGS\u{1}{tag}")), body).await;
        }
        let of = |expression: &str| PullMessageRequestHeader {
            subscription: Some(expression.into()),
            ..pull_header(0)
        };
        let pulled = scene.pull_as(of("TagA || TagB")).await;
        assert_eq!(pulled.bodies(), ["a", "b", "c"]);
        assert_eq!(pulled.header.next_begin_offset, 4);
        let none = scene.pull_as(of("TagX")).await;
        assert_eq!(none.code, ResponseCode::PULL_RETRY_IMMEDIATELY);
        assert_eq!(none.header.next_begin_offset, 4);
        let request = RemotingCommand::request(RequestCode::PULL_MESSAGE, &of("||"));
        assert_eq!(
            scene.ask(request).await.response_code(),
            ResponseCode::SUBSCRIPTION_PARSE_FAILED
        );
    });
}

#[test]
fn a_pull_at_the_tail_is_held_until_a_message_comes() {
    run(13, config(FlushMode::Sync), async |scene| {
        scene.send("made").await;
        let begun = scene.control.elapsed();
        let (waiting, control) = (scene.clone(), scene.control.clone());
        let later = scene.clone();
        scene.control.spawn_on(&scene.client, async move {
            control.sleep(5 * SECOND).await;
            later.another_client().send("late").await;
        });
        let pulled = waiting.pull_as(held(1, "*")).await;
        let took = scene.control.elapsed() - begun;
        assert_eq!(pulled.bodies(), ["late"]);
        assert!(took >= 5 * SECOND && took < 6 * SECOND, "it took {took:?}");
    });
}

#[test]
fn a_held_pull_passes_over_unwanted_messages_and_gives_up_at_its_deadline() {
    run(14, config(FlushMode::Async), async |scene| {
        scene.send_as(&send_header("TAGS\u{1}TagB"), "unwanted").await;
        let begun = scene.control.elapsed();
        let (control, later) = (scene.control.clone(), scene.clone());
        scene.control.spawn_on(&scene.client, async move {
            control.sleep(5 * SECOND).await;
            let other = later.another_client();
            other.send_as(&send_header("TAGS\u{1}TagB"), "unwanted too").await;
        });
        let pulled = scene.pull_as(held(1, "TagA")).await;
        let took = scene.control.elapsed() - begun;
        assert!(took >= 15 * SECOND && took < 16 * SECOND, "it took {took:?}");
        assert_eq!(pulled.messages.len(), 0);
        assert_eq!(pulled.header.next_begin_offset, 2);
        assert!(
            [ResponseCode::PULL_NOT_FOUND, ResponseCode::PULL_RETRY_IMMEDIATELY]
                .contains(&pulled.code)
        );
    });
}

#[test]
fn a_pull_without_the_flag_is_not_held() {
    run(15, config(FlushMode::Async), async |scene| {
        scene.send("made").await;
        let begun = scene.control.elapsed();
        assert_eq!(scene.pull(1).await.code, ResponseCode::PULL_NOT_FOUND);
        assert!(scene.control.elapsed() - begun < SECOND);
    });
}

#[test]
fn what_cannot_be_pulled_is_refused_by_its_code() {
    run(16, config(FlushMode::Async), async |scene| {
        scene.send("made").await;
        let base = pull_header(0);
        let cases = [
            (
                PullMessageRequestHeader { topic: "Unknown".into(), ..base.clone() },
                ResponseCode::TOPIC_NOT_EXIST,
            ),
            (PullMessageRequestHeader { queue_id: 4, ..base.clone() }, ResponseCode::SYSTEM_ERROR),
            (
                PullMessageRequestHeader { sys_flag: 0, ..base.clone() },
                ResponseCode::SUBSCRIPTION_NOT_EXIST,
            ),
            (
                PullMessageRequestHeader { expression_type: Some("SQL92".into()), ..base },
                ResponseCode::SYSTEM_ERROR,
            ),
        ];
        for (header, code) in cases {
            let request = RemotingCommand::request(RequestCode::PULL_MESSAGE, &header);
            let reply = scene.ask(request).await;
            assert_eq!(reply.response_code(), code, "{:?}", reply.remark);
        }
    });
}

#[test]
fn a_broker_that_ends_answers_the_pulls_it_holds() {
    let config = broker::BrokerConfig { listen: "broker:10911".into(), ..config(FlushMode::Sync) };
    run(17, config, async |scene| {
        scene.send("made").await;
        let broker = scene.restart().await;
        let (control, node) = (scene.control.clone(), scene.broker.clone());
        scene.control.spawn_on(&scene.client, async move {
            control.sleep(2 * SECOND).await;
            let ended = control.on(&node, async move { broker.shutdown().await }).await;
            ended.expect("the node lives").expect("it ends cleanly");
        });
        let begun = scene.control.elapsed();
        let pulled = scene.pull_as(held(1, "*")).await;
        assert_eq!(pulled.code, ResponseCode::PULL_NOT_FOUND);
        assert!(scene.control.elapsed() - begun < Duration::from_millis(2_500));
    });
}

/// Found by `boundaries` with seed 698455: the end told was lower than the one before the restart.
#[test]
fn a_restarted_broker_tells_no_end_before_it_knows_it() {
    run(18, config(FlushMode::Sync), async |scene| {
        for body in ["a", "b", "c"] {
            scene.send(body).await;
        }
        // The group's first pull writes a file.
        assert_eq!(scene.pull(0).await.header.max_offset, 3);
        // The queue's file is gone, and there is no room to make it anew from the log.
        scene.control.power_fail(&scene.broker);
        full_disk::capacity(&scene.control, &scene.broker, 0);
        scene.power_cycle().await;
        for (header, wait) in [(pull_header(2), 2), (held(3, "*"), 15), (held(9, "*"), 15)] {
            let begun = scene.control.elapsed();
            let request = RemotingCommand::request(RequestCode::PULL_MESSAGE, &header);
            let refused = scene.ask(request).await;
            assert_eq!(refused.response_code(), ResponseCode::SYSTEM_BUSY);
            let remark = refused.remark.unwrap_or_default();
            assert!(remark.contains("still reads"), "{remark}");
            let took = scene.control.elapsed() - begun;
            assert!(took >= wait * SECOND && took < (wait + 1) * SECOND, "it took {took:?}");
        }
        let (control, broker) = (scene.control.clone(), scene.broker.clone());
        scene.control.spawn_on(&scene.client, async move {
            control.sleep(5 * SECOND).await;
            full_disk::capacity(&control, &broker, u64::MAX);
        });
        let begun = scene.control.elapsed();
        let pulled = scene.pull_as(held(9, "*")).await;
        assert_eq!(pulled.code, ResponseCode::PULL_OFFSET_MOVED, "{}", pulled.remark);
        assert_eq!((pulled.header.next_begin_offset, pulled.header.max_offset), (3, 3));
        let took = scene.control.elapsed() - begun;
        assert!(took >= 5 * SECOND && took < 8 * SECOND, "it took {took:?}");
        assert_eq!(scene.pull(0).await.bodies(), ["a", "b", "c"]);
    });
}
