//! Pipelines: many in flight on one connection, every answer reported once.

use std::collections::BTreeSet;

use hotfire_client::pipeline::{
    Outgoing, PipelineError, PullLane, PullPipeline, PullPipelineConfig, SendPipeline,
    SendPipelineConfig,
};
use message::QueueOffset;
use protocol::{ResponseCode, SerializeType};

use crate::fake_broker::Script;
use crate::stage::{Stage, TOPIC};

fn sending(serialize_type: SerializeType) -> SendPipelineConfig {
    SendPipelineConfig {
        group: "makers".into(),
        topic: TOPIC.into(),
        broker_name: "a".into(),
        default_topic_queue_nums: 4,
        serialize_type,
        in_flight_max: 16,
    }
}

async fn connect(stage: &Stage, serialize_type: SerializeType) -> SendPipeline {
    let runtime = stage.world.runtime(&stage.world.node("clients"));
    let (net, clock) = (&runtime.net, &runtime.clock);
    let address = &stage.brokers[0].address;
    SendPipeline::connect(net, clock, address, sending(serialize_type)).await.expect("it listens")
}

#[test]
fn every_message_is_answered_once_in_both_serialisations() {
    for serialize_type in [SerializeType::Json, SerializeType::RocketMq] {
        let stage = Stage::new(1, 1, 4);
        stage.play(async || {
            let mut pipeline = connect(&stage, serialize_type).await;
            let (mut numbers, mut offsets) = (BTreeSet::new(), BTreeSet::new());
            let next = |number: u64, _| {
                let (queue_id, body) = (number as u32 % 4, &b"body"[..]);
                let properties = "TAGS\u{1}A";
                let message = Outgoing { queue_id, properties, body, batch: false };
                (number < 500).then_some(message)
            };
            let run = pipeline.run(next, |reply| {
                assert_eq!(reply.code, ResponseCode::SUCCESS);
                numbers.insert(reply.number);
                offsets.insert(reply.stored.expect("stored"));
            });
            run.await.expect("the broker answers");
            assert_eq!((numbers.len(), offsets.len()), (500, 500));
            let (sends, log) = {
                let state = stage.brokers[0].state();
                (state.sends.len(), state.log[&3].concat())
            };
            assert_eq!(sends, 500);
            let stored = message::record::decode_all(log.into()).expect("records");
            assert_eq!(stored.len(), 125);
            assert!(stored.iter().all(|message| message.message.tags() == Some("A")));
        });
    }
}

#[test]
fn a_refusal_is_reported_with_its_text_and_the_run_goes_on() {
    let stage = Stage::new(1, 1, 1);
    stage.play(async || {
        let refusal = Script::Refuse(ResponseCode::SYSTEM_BUSY);
        stage.brokers[0].state().script.push_back(refusal);
        let mut pipeline = connect(&stage, SerializeType::Json).await;
        let mut answers = Vec::new();
        let next = |number: u64, _| {
            let message = Outgoing { queue_id: 0, properties: "", body: b"m", batch: false };
            (number < 3).then_some(message)
        };
        let run = pipeline.run(next, |reply| {
            answers.push((reply.code, reply.remark.map(str::to_owned)));
        });
        run.await.expect("the broker answers");
        answers.sort_by_key(|(code, _)| code.0);
        let stored = (ResponseCode::SUCCESS, None);
        let refused = (ResponseCode::SYSTEM_BUSY, Some("as scripted".to_owned()));
        assert_eq!(answers, [stored.clone(), stored, refused]);
    });
}

#[test]
fn a_lost_connection_ends_the_run() {
    let stage = Stage::new(1, 1, 1);
    stage.play(async || {
        stage.brokers[0].state().script.extend([Script::Ignore; 100]);
        let mut pipeline = connect(&stage, SerializeType::Json).await;
        let next = |_, _| Some(Outgoing { queue_id: 0, properties: "", body: b"m", batch: false });
        let killing = async {
            stage.pause(1).await;
            stage.world.kill(&stage.world.node("a"));
        };
        let (ended, ()) = tokio::join!(pipeline.run(next, |_| ()), killing);
        assert!(matches!(ended, Err(PipelineError::Io(_))), "{ended:?}");
    });
}

#[test]
fn pulls_read_every_queue_to_its_end() {
    let stage = Stage::new(1, 1, 3);
    stage.play(async || {
        let mut pipeline = connect(&stage, SerializeType::RocketMq).await;
        let next = |number: u64, _| {
            let queue_id = number as u32 % 3;
            let message = Outgoing { queue_id, properties: "", body: b"m", batch: false };
            (number < 300).then_some(message)
        };
        pipeline.run(next, |_| ()).await.expect("the broker answers");
        let runtime = stage.world.runtime(&stage.world.node("clients"));
        let config = PullPipelineConfig {
            group: "readers".into(),
            topic: TOPIC.into(),
            broker_name: "a".into(),
            count_max: 32,
        };
        let address = &stage.brokers[0].address;
        let pulling = PullPipeline::connect(&runtime.net, &runtime.clock, address, config);
        let mut pulling = pulling.await.expect("it listens");
        let lane =
            |queue_id, end| PullLane { queue_id, next: QueueOffset(0), end: QueueOffset(end) };
        let mut counts = [0; 3];
        let lanes = vec![lane(0, 100), lane(1, 100), lane(2, 1_000)];
        let run = pulling.run(lanes, |page| counts[page.queue_id as usize] += page.count());
        let ended = run.await.expect("the broker answers");
        assert_eq!(counts, [100, 100, 100]);
        assert_eq!(ended.iter().map(|lane| lane.next.0).collect::<Vec<_>>(), [100, 100, 100]);
    });
}
