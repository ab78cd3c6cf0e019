//! Too much at once: the broker says so and queues nothing without bound.

use std::sync::{Arc, Mutex};

use broker::BrokerConfig;
use protocol::header::{PullMessageRequestHeader, SendMessageRequestHeader};
use protocol::{RemotingCommand, RequestCode, ResponseCode};
use sim::fault::slow_disk;
use store::FlushMode;

use crate::scene::{SECOND, TOPIC, config, pull_header, run, send_header};

#[test]
fn sends_above_the_bound_are_told_that_the_broker_is_busy() {
    let small = BrokerConfig { sends_in_flight_max: 3, ..config(FlushMode::Sync) };
    run(41, small, async |scene| {
        assert_eq!(scene.send("made").await.code, ResponseCode::SUCCESS);
        slow_disk::stall(&scene.control, &scene.broker);
        let codes = Arc::new(Mutex::new(Vec::new()));
        for _ in 0..8 {
            let batch = SendMessageRequestHeader { batch: true, ..send_header("") };
            let body = message::batch::encode(&[message::Message::new(TOPIC, "x")]);
            let request =
                RemotingCommand::request(RequestCode::SEND_BATCH_MESSAGE, &batch).with_body(body);
            let (asking, codes) = (scene.clone(), codes.clone());
            scene.control.spawn_on(&scene.client, async move {
                let reply = asking.ask(request).await;
                if reply.response_code() == ResponseCode::SYSTEM_BUSY {
                    assert_eq!(reply.ext_fields.get("retryAfterMs"), Some("100"));
                    assert!(reply.remark.expect("a cause").starts_with("[OVERLOAD]"));
                }
                codes.lock().expect("nobody panicked").push(reply.code);
            });
        }
        scene.control.sleep(SECOND).await;
        assert_eq!(*codes.lock().expect("nobody panicked"), [2; 5]);
        scene.control.sleep(10 * SECOND).await;
        assert_eq!(codes.lock().expect("nobody panicked")[5..], [10; 3]);
        slow_disk::release(&scene.control, &scene.broker);
    });
}

#[test]
fn pulls_held_above_the_bound_are_told_that_the_broker_is_busy() {
    let small = BrokerConfig { pulls_in_flight_max: 2, ..config(FlushMode::Async) };
    run(42, small, async |scene| {
        scene.send("made").await;
        for _ in 0..2 {
            let held = PullMessageRequestHeader { sys_flag: 6, ..pull_header(1) };
            let asking = scene.clone();
            scene.control.spawn_on(&scene.client, async move {
                asking.pull_as(held).await;
            });
        }
        scene.control.sleep(SECOND).await;
        let request = RemotingCommand::request(RequestCode::PULL_MESSAGE, &pull_header(0));
        assert_eq!(scene.ask(request.clone()).await.response_code(), ResponseCode::SYSTEM_BUSY);
        scene.control.sleep(20 * SECOND).await;
        assert_eq!(scene.ask(request).await.response_code(), ResponseCode::SUCCESS);
    });
}

#[test]
fn a_pull_whose_client_is_gone_gives_its_place_back() {
    let small = BrokerConfig { pulls_in_flight_max: 1, ..config(FlushMode::Async) };
    run(43, small, async |scene| {
        scene.send("made").await;
        let gone = scene.another_client();
        let asking = gone.clone();
        scene.control.spawn_on(&scene.client, async move {
            let held = PullMessageRequestHeader { sys_flag: 6, ..pull_header(1) };
            let request = RemotingCommand::request(RequestCode::PULL_MESSAGE, &held);
            assert!(asking.try_ask(request).await.is_none());
        });
        scene.control.sleep(SECOND).await;
        gone.disconnect();
        scene.control.sleep(SECOND).await;
        assert_eq!(scene.pull(0).await.bodies(), ["made"]);
    });
}
