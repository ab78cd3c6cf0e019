//! Messages by key and by unique key.

use message::record::decode_all;
use protocol::header::{QueryMessageRequestHeader, QueryMessageResponseHeader};
use protocol::{RequestCode, ResponseCode};
use store::FlushMode;

use crate::scene::{SECOND, Scene, TOPIC, config, header_of, run, send_header};

/// The bodies that a query gives, or the code that it is refused with.
async fn query(
    scene: &Scene,
    key: &str,
    max_num: i32,
    unique: bool,
) -> Result<Vec<String>, ResponseCode> {
    let header = QueryMessageRequestHeader {
        topic: TOPIC.into(),
        key: key.into(),
        max_num,
        begin_timestamp: 0,
        end_timestamp: i64::MAX,
        unique_key_query: Some(unique),
        ..QueryMessageRequestHeader::default()
    };
    let reply = scene.request(RequestCode::QUERY_MESSAGE, &header).await;
    if reply.response_code() != ResponseCode::SUCCESS {
        return Err(reply.response_code());
    }
    let header: QueryMessageResponseHeader = header_of(&reply);
    assert!(header.index_last_update_timestamp > 0 && header.index_last_update_phyoffset > 0);
    let messages = decode_all(reply.body).expect("whole records");
    Ok(messages.iter().map(|m| String::from_utf8_lossy(&m.message.body).into_owned()).collect())
}

#[test]
fn a_message_is_found_by_its_keys_also_after_a_power_failure() {
    run(71, config(FlushMode::Sync), async |scene| {
        for number in 0..70 {
            let properties = format!("KEYS\x01common own{number}\x02UNIQ_KEY\x01U{number}");
            let sent = scene.send_as(&send_header(&properties), &number.to_string()).await;
            assert_eq!(sent.code, ResponseCode::SUCCESS);
        }
        for _ in 0..2 {
            scene.control.sleep(SECOND).await;
            assert_eq!(query(&scene, "own7", 32, false).await, Ok(vec!["7".into()]));
            assert_eq!(query(&scene, "U69", 1, true).await, Ok(vec!["69".into()]));
            let newest = |count: u32| (70 - count..70).map(|n| n.to_string()).collect();
            assert_eq!(query(&scene, "common", 3, false).await, Ok(newest(3)));
            assert_eq!(query(&scene, "common", 1_000, false).await, Ok(newest(64)));
            assert_eq!(
                query(&scene, "common", 1, true).await,
                Ok(newest(32)),
                "as many as it likes"
            );
            let none = Err(ResponseCode::QUERY_NOT_FOUND);
            assert_eq!(query(&scene, "nobody", 32, false).await, none);
            assert_eq!(query(&scene, "common", -1, false).await, none);
            scene.power_cycle().await;
        }
    });
}
