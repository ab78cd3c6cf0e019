//! What an acknowledgement is worth: power failures, failed syncs, slow disks.

use std::sync::{Arc, Mutex};

use protocol::{RemotingCommand, RequestCode, ResponseCode};
use sim::fault::{slow_disk, sync_error};
use store::FlushMode;

use crate::scene::{SECOND, TOPIC, config, run, send_header};

#[test]
fn what_was_acknowledged_under_sync_flush_survives_power_failures() {
    for seed in 0..20 {
        run(3_100 + seed, config(FlushMode::Sync), async |scene| {
            let mut acknowledged = Vec::new();
            for round in 0..3 {
                for number in 0..20 {
                    let body = format!("{round}/{number}");
                    let sent = scene.send(&body).await;
                    assert_eq!(sent.code, ResponseCode::SUCCESS);
                    acknowledged.push((sent.queue_offset(), body));
                }
                scene.power_cycle().await;
            }
            let mut found = Vec::new();
            while found.len() < acknowledged.len() {
                let pulled = scene.pull(found.len() as i64).await;
                assert_eq!(pulled.code, ResponseCode::SUCCESS);
                let offsets = pulled.messages.iter().map(|m| m.queue_offset.0 as i64);
                found.extend(offsets.zip(pulled.bodies()));
            }
            assert_eq!(found, acknowledged);
        });
    }
}

#[test]
fn nothing_is_acknowledged_or_visible_while_the_disk_does_not_sync() {
    run(32, config(FlushMode::Sync), async |scene| {
        assert_eq!(scene.send("made").await.code, ResponseCode::SUCCESS);
        // The group's first pull writes a file.
        assert_eq!(scene.pull(0).await.bodies(), ["made"]);
        slow_disk::stall(&scene.control, &scene.broker);
        let begun = scene.control.elapsed();
        // The fast path knows the topic by now; a batch takes the ordinary one.
        let batch = protocol::header::SendMessageRequestHeader { batch: true, ..send_header("") };
        let ordinary = RemotingCommand::request(RequestCode::SEND_BATCH_MESSAGE, &batch)
            .with_body(message::batch::encode(&[message::Message::new(TOPIC, "batched")]));
        let second = Arc::new(Mutex::new(None));
        let (other, control) = (scene.another_client(), scene.control.clone());
        let answered = second.clone();
        scene.control.spawn_on(&scene.client, async move {
            let code = other.ask(ordinary).await.response_code();
            *answered.lock().expect("nobody panicked") = Some((code, control.elapsed()));
        });
        let sent = scene.send("stalled").await;
        let took = scene.control.elapsed() - begun;
        assert_eq!(sent.code, ResponseCode::FLUSH_DISK_TIMEOUT);
        assert!(took >= 5 * SECOND && took < 6 * SECOND, "it took {took:?}");
        scene.control.sleep(SECOND).await;
        let (code, at) = second.lock().expect("nobody panicked").expect("it is answered");
        assert_eq!(code, ResponseCode::FLUSH_DISK_TIMEOUT);
        assert!(at - begun >= 5 * SECOND);
        assert_eq!(scene.pull(0).await.bodies(), ["made"]);
        slow_disk::release(&scene.control, &scene.broker);
        scene.control.sleep(SECOND).await;
        assert_eq!(scene.pull(0).await.messages.len(), 3);
    });
}

#[test]
fn a_send_that_says_wait_false_is_answered_before_the_flush() {
    run(33, config(FlushMode::Sync), async |scene| {
        assert_eq!(scene.send("made").await.code, ResponseCode::SUCCESS);
        slow_disk::stall(&scene.control, &scene.broker);
        let begun = scene.control.elapsed();
        let sent = scene.send_as(&send_header("WAIT\u{1}false"), "hasty").await;
        assert_eq!(sent.code, ResponseCode::SUCCESS);
        assert!(scene.control.elapsed() - begun < SECOND);
        slow_disk::release(&scene.control, &scene.broker);
    });
}

#[test]
fn after_a_failed_sync_nothing_is_acknowledged_any_more() {
    for seed in 0..10 {
        run(3_400 + seed, config(FlushMode::Sync), async |scene| {
            assert_eq!(scene.send("made").await.code, ResponseCode::SUCCESS);
            // Until the next segment is prepared and the checkpoint written: theirs are syncs, too.
            scene.control.sleep(5 * SECOND).await;
            sync_error::next(&scene.control, &scene.broker, 1);
            let failed = scene.send("lost?").await;
            assert_eq!(failed.code, ResponseCode::SYSTEM_ERROR, "{}", failed.remark);
            assert!(failed.remark.contains("unknown"), "{}", failed.remark);
            for body in ["later", "later still"] {
                let refused = scene.send(body).await;
                assert_eq!(refused.code, ResponseCode::SERVICE_NOT_AVAILABLE);
                assert!(refused.remark.contains("not stored"), "{}", refused.remark);
            }
            assert_eq!(scene.pull(0).await.bodies(), ["made"]);
            scene.power_cycle().await;
            assert_eq!(scene.send("again").await.code, ResponseCode::SUCCESS);
        });
    }
}

#[test]
fn commits_survive_a_power_failure_five_seconds_later_and_a_clean_end_at_once() {
    for seed in 0..10 {
        run(3_500 + seed, config(FlushMode::Sync), async |scene| {
            for body in ["a", "b", "c", "d"] {
                scene.send(body).await;
            }
            scene.commit("CG", 2).await;
            scene.control.sleep(7 * SECOND).await;
            scene.commit("CG", 3).await;
            let broker = scene.power_cycle().await;
            let kept = scene.committed("CG").await.expect("it was written");
            assert!(kept == 2 || kept == 3, "{kept} was never committed before the failure");
            scene.commit("CG", 4).await;
            let ended = scene.control.on(&scene.broker, async move { broker.shutdown().await });
            ended.await.expect("the node lives").expect("it ends cleanly");
            scene.power_cycle().await;
            assert_eq!(scene.committed("CG").await, Ok(4));
        });
    }
}

#[test]
fn commits_of_one_connection_are_taken_in_the_order_in_which_they_came() {
    for seed in 0..10 {
        run(3_600 + seed, config(FlushMode::Async), async |scene| {
            scene.send("a").await;
            for offset in 1..=100 {
                scene.commit_oneway("CG", offset).await;
            }
            scene.control.sleep(SECOND).await;
            assert_eq!(scene.committed("CG").await, Ok(100));
        });
    }
}

#[test]
fn a_new_group_starts_at_the_beginning_of_a_young_queue_and_is_unknown_in_an_old_one() {
    run(36, config(FlushMode::Async), async |scene| {
        scene.send("a").await;
        assert_eq!(scene.committed("NEW").await, Ok(0));
    });
    let old = broker::BrokerConfig { young_queue_bytes_max: 100, ..config(FlushMode::Async) };
    run(37, old, async |scene| {
        scene.send("a").await;
        scene.send("b").await;
        assert_eq!(scene.committed("NEW").await, Err(ResponseCode::QUERY_NOT_FOUND));
    });
}

#[test]
fn a_topic_made_by_a_send_is_known_after_a_power_failure() {
    for seed in 0..10 {
        run(3_800 + seed, config(FlushMode::Sync), async |scene| {
            assert_eq!(scene.send("made").await.code, ResponseCode::SUCCESS);
            scene.power_cycle().await;
            assert_eq!(scene.pull(0).await.bodies(), ["made"]);
            let without_template = protocol::header::SendMessageRequestHeader {
                default_topic: "none".into(),
                ..send_header("")
            };
            let sent = scene.send_as(&without_template, "again").await;
            assert_eq!((sent.code, sent.queue_offset()), (ResponseCode::SUCCESS, 1));
        });
    }
}

#[test]
fn a_commit_beyond_what_a_power_failure_left_is_lowered_to_the_end() {
    let mut lowered = 0;
    for seed in 0..30 {
        run(3_900 + seed, config(FlushMode::Async), async |scene| {
            scene.send("a").await;
            scene.control.sleep(15 * SECOND).await;
            for _ in 0..8 {
                scene.send("may be lost").await;
            }
            scene.commit("CG", 9).await;
            // The offsets are written within 5 s; the log may wait longer for its pages.
            scene.control.sleep(6 * SECOND).await;
            scene.power_cycle().await;
            let end = scene.pull(0).await.header.max_offset;
            let committed = scene.committed("CG").await.unwrap_or(0);
            assert!(committed <= end, "committed {committed} of a queue that ends at {end}");
            lowered += u64::from(end < 9);
        });
    }
    assert!(lowered > 0, "no seed lost a message: the test shows nothing");
}

#[test]
fn a_pipeline_of_sends_takes_each_place_of_the_queue_once() {
    run(3_950, config(FlushMode::Sync), async |scene| {
        assert_eq!(scene.send("made").await.code, ResponseCode::SUCCESS);
        let offsets = Arc::new(Mutex::new(Vec::new()));
        for number in 0..100 {
            let (asking, offsets) = (scene.clone(), offsets.clone());
            scene.control.spawn_on(&scene.client, async move {
                let sent = asking.send(&format!("{number}")).await;
                assert_eq!(sent.code, ResponseCode::SUCCESS);
                offsets.lock().expect("nobody panicked").push(sent.queue_offset());
            });
        }
        scene.control.sleep(2 * SECOND).await;
        let mut offsets = offsets.lock().expect("nobody panicked").clone();
        offsets.sort_unstable();
        assert_eq!(offsets, (1..=100).collect::<Vec<_>>());
    });
}
