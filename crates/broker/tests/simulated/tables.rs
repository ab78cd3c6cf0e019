//! The configuration tables: what RocketMQ left, and a disk without room.

use protocol::body::{DelayOffsetSerializeWrapper, KvTable};
use protocol::{RemotingCommand, RequestCode, ResponseCode};
use sim::fault::full_disk;
use store::FlushMode;

use crate::scene::{SECOND, config, run};

#[test]
fn progress_of_delay_levels_that_rocketmq_left_is_told_and_survives() {
    run(41, config(FlushMode::Sync), async |scene| {
        let ask = async |code| scene.ask(RemotingCommand::request_without_header(code)).await;
        let none = ask(RequestCode::GET_ALL_DELAY_OFFSET).await;
        assert_eq!(none.body, "{\"offsetTable\":{}}");
        scene.control.kill(&scene.broker);
        let path = "store/config/delayOffset.json";
        let left = b"{\n\t\"offsetTable\":{1:4,18:7\n\t}\n}";
        scene.control.lay_file(&scene.broker, path, left).expect("a path below the root");
        for _ in 0..2 {
            scene.power_cycle().await;
            let told = ask(RequestCode::GET_ALL_DELAY_OFFSET).await;
            let told = DelayOffsetSerializeWrapper::decode(&told.body).expect("a table");
            assert_eq!(told.offset_table, [(1, 4), (18, 7)].into());
            let figures = ask(RequestCode::GET_BROKER_RUNTIME_INFO).await;
            let figures = KvTable::decode(&figures.body).expect("figures").table;
            assert_eq!(figures["scheduleMessageOffset_18"], "7,0");
        }
    });
}

#[test]
fn a_start_on_a_full_disk_serves_what_is_stored_and_goes_on_when_there_is_room() {
    run(42, config(FlushMode::Sync), async |scene| {
        assert_eq!(scene.send("before").await.code, ResponseCode::SUCCESS);
        // The group's first pull writes a file.
        assert_eq!(scene.pull(0).await.bodies(), ["before"]);
        let broker = scene.restart().await;
        let ended = scene.control.on(&scene.broker, async move { broker.shutdown().await });
        ended.await.expect("the node lives").expect("it ends in order");
        full_disk::capacity(&scene.control, &scene.broker, 0);
        scene.restart().await;
        let pulled = scene.pull(0).await;
        assert_eq!(pulled.bodies(), ["before"], "{:?}", pulled.code);
        full_disk::capacity(&scene.control, &scene.broker, u64::MAX);
        scene.control.sleep(30 * SECOND).await;
        assert_eq!(scene.send("after").await.code, ResponseCode::SUCCESS);
    });
}
