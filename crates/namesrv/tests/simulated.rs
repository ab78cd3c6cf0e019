//! A name server and its askers, as nodes of a world.

use std::time::Duration;

use namesrv::{Namesrv, NamesrvConfig, ORDER_TOPIC_CONFIG};
use protocol::body::{
    ClusterInfo, DataVersion, KvTable, RegisterBrokerBody, TopicConfig,
    TopicConfigSerializeWrapper, TopicList, TopicRouteData,
};
use protocol::header::{
    AddWritePermResponseHeader, DeleteKvConfigRequestHeader, GetKvConfigRequestHeader,
    GetKvConfigResponseHeader, GetKvListByNamespaceRequestHeader, GetRouteInfoRequestHeader,
    GetTopicsByClusterRequestHeader, PutKvConfigRequestHeader, QueryDataVersionRequestHeader,
    QueryDataVersionResponseHeader, RegisterBrokerRequestHeader, RegisterBrokerResponseHeader,
    UnregisterBrokerRequestHeader, WipeWritePermRequestHeader, WipeWritePermResponseHeader,
};
use protocol::{RemotingCommand, RequestCode, ResponseCode};
use remoting::{Client, ClientConfig, Handles};
use sim::{Node, World};

const ADDRESS: &str = "namesrv:9876";
const BROKER: &str = "10.0.0.2:10911";

/// A client on a node, and what it asks of the name server.
struct Asker(Client);

impl Asker {
    fn new(world: &World, node: &Node) -> Self {
        let handles = Handles::from(&world.runtime(node));
        Self(Client::new(handles, None, ClientConfig::default()))
    }

    async fn ask(&self, request: RemotingCommand) -> RemotingCommand {
        self.0.request(ADDRESS, request, Duration::from_secs(3)).await.unwrap()
    }

    async fn register(&self, id: i64, address: &str) -> RemotingCommand {
        self.ask(registration(id, address)).await
    }

    async fn route(&self, topic: &str) -> Option<TopicRouteData> {
        let header = GetRouteInfoRequestHeader { topic: topic.to_owned(), ..Default::default() };
        let answer =
            self.ask(RemotingCommand::request(RequestCode::GET_ROUTEINFO_BY_TOPIC, &header)).await;
        match answer.response_code() {
            ResponseCode::SUCCESS => Some(TopicRouteData::decode(&answer.body).unwrap()),
            ResponseCode::TOPIC_NOT_EXIST => None,
            code => panic!("{code}: {:?}", answer.remark),
        }
    }
}

fn topics() -> RegisterBrokerBody {
    let topic = TopicConfig {
        topic_name: "TopicA".to_owned(),
        read_queue_nums: 4,
        write_queue_nums: 4,
        ..TopicConfig::default()
    };
    RegisterBrokerBody {
        topic_config_serialize_wrapper: TopicConfigSerializeWrapper {
            data_version: DataVersion { counter: 1, timestamp: 5, ..DataVersion::default() },
            topic_config_table: [("TopicA".to_owned(), topic)].into(),
        },
        ..RegisterBrokerBody::default()
    }
}

fn registration_header(id: i64, address: &str) -> RegisterBrokerRequestHeader {
    RegisterBrokerRequestHeader {
        broker_name: "broker-a".to_owned(),
        broker_addr: address.to_owned(),
        cluster_name: "DefaultCluster".to_owned(),
        ha_server_addr: format!("{address}1"),
        broker_id: id,
        ..RegisterBrokerRequestHeader::default()
    }
}

fn registration(id: i64, address: &str) -> RemotingCommand {
    let body = topics().encode();
    let mut header = registration_header(id, address);
    header.body_crc32 = RegisterBrokerBody::crc32(&body);
    RemotingCommand::request(RequestCode::REGISTER_BROKER, &header).with_body(body)
}

struct Ground {
    world: World,
    namesrv: Node,
    broker: Node,
    client: Node,
}

fn ground(seed: u64) -> Ground {
    let world = World::new(seed);
    let (namesrv, broker) = (world.node("namesrv"), world.node("broker"));
    let client = world.node("client");
    Ground { world, namesrv, broker, client }
}

impl Ground {
    async fn start(&self) -> Namesrv {
        self.start_with(NamesrvConfig::default()).await
    }

    async fn start_with(&self, config: NamesrvConfig) -> Namesrv {
        Namesrv::start(&self.world.runtime(&self.namesrv), config).await.unwrap()
    }

    fn broker(&self) -> Asker {
        Asker::new(&self.world, &self.broker)
    }

    fn client(&self) -> Asker {
        Asker::new(&self.world, &self.client)
    }
}

#[test]
fn a_broker_is_routed_to_until_its_process_dies() {
    for seed in 0..20 {
        let ground = ground(seed);
        ground.world.block_on(async {
            let _namesrv = ground.start().await;
            let (broker, client) = (ground.broker(), ground.client());
            assert_eq!(client.route("TopicA").await, None);
            broker.register(0, BROKER).await;
            let route = client.route("TopicA").await.unwrap();
            assert_eq!(route.broker_datas[0].broker_addrs[&0], BROKER);
            assert_eq!(route.queue_datas[0].write_queue_nums, 4);
            assert_eq!(client.route("TopicB").await, None);
            ground.world.kill(&ground.broker);
            ground.world.sleep(Duration::from_secs(2)).await;
            assert_eq!(client.route("TopicA").await, None, "seed {seed}");
        });
    }
}

#[test]
fn a_broker_that_falls_silent_is_gone_after_120_to_130_seconds() {
    for seed in 0..10 {
        let ground = ground(seed);
        ground.world.block_on(async {
            let _namesrv = ground.start().await;
            let broker = ground.broker();
            for _ in 0..3 {
                broker.register(0, BROKER).await;
                ground.world.sleep(Duration::from_secs(30)).await;
                // No jump of the wall clock kills a broker.
                sim::fault::clock::jump(&ground.world, &ground.namesrv, 3_600_000);
            }
            ground.world.power_fail(&ground.broker);
            let client = ground.client();
            ground.world.sleep(Duration::from_secs(85)).await;
            assert!(client.route("TopicA").await.is_some(), "115 s");
            ground.world.sleep(Duration::from_secs(20)).await;
            assert_eq!(client.route("TopicA").await, None, "135 s");
        });
    }
}

#[test]
fn a_broker_that_no_longer_registers_expires_though_its_connection_lives() {
    let ground = ground(1);
    ground.world.block_on(async {
        let _namesrv = ground.start().await;
        let (broker, client) = (ground.broker(), ground.client());
        broker.register(0, BROKER).await;
        let connection = broker.0.connection(ADDRESS).await.unwrap();
        for waited in [30, 60, 90, 115, 135] {
            let already = ground.world.elapsed().as_secs();
            ground.world.sleep(Duration::from_secs(waited - already)).await;
            assert_eq!(client.route("TopicA").await.is_some(), waited < 120, "{waited} s");
            if waited < 120 {
                assert_eq!(broker.route("TopicB").await, None);
                assert!(!connection.is_closed());
            }
        }
        // So that a broker which only believes to be registered notices.
        assert!(connection.is_closed());
    });
}

#[test]
fn name_servers_know_nothing_of_each_other() {
    let ground = ground(1);
    ground.world.block_on(async {
        let _one = ground.start().await;
        let other = ground.world.node("other");
        let runtime = ground.world.runtime(&other);
        let _other = Namesrv::start(&runtime, NamesrvConfig::default()).await.unwrap();
        let broker = ground.broker();
        broker.register(0, BROKER).await;
        let request = RemotingCommand::request_without_header(RequestCode::GET_BROKER_CLUSTER_INFO);
        let client = ground.client();
        let timeout = Duration::from_secs(3);
        let answer = client.0.request("other:9876", request, timeout).await.unwrap();
        assert!(ClusterInfo::decode(&answer.body).unwrap().broker_addr_table.is_empty());
        assert!(client.route("TopicA").await.is_some());
    });
}

#[test]
fn a_slave_learns_its_master_and_everyone_the_order_configuration() {
    let ground = ground(1);
    ground.world.block_on(async {
        let config = NamesrvConfig { order_message_enable: true, ..NamesrvConfig::default() };
        let _namesrv = ground.start_with(config).await;
        let (broker, client) = (ground.broker(), ground.client());
        let answer = broker.register(0, BROKER).await;
        assert_eq!((answer.code, answer.body.len()), (0, 0));
        let header: RegisterBrokerResponseHeader = answer.header().unwrap();
        assert_eq!(header, RegisterBrokerResponseHeader::default());
        let put = PutKvConfigRequestHeader {
            namespace: ORDER_TOPIC_CONFIG.to_owned(),
            key: "TopicA".to_owned(),
            value: "broker-a:4".to_owned(),
        };
        client.ask(RemotingCommand::request(RequestCode::PUT_KV_CONFIG, &put)).await;
        let answer = client.register(1, "10.0.0.3:10911").await;
        let header: RegisterBrokerResponseHeader = answer.header().unwrap();
        assert_eq!(header.master_addr.as_deref(), Some(BROKER));
        assert_eq!(header.ha_server_addr.as_deref(), Some("10.0.0.2:109111"));
        let order = KvTable::decode(&answer.body).unwrap();
        assert_eq!(order.table["TopicA"], "broker-a:4");
        let route = client.route("TopicA").await.unwrap();
        assert_eq!(route.order_topic_conf.as_deref(), Some("broker-a:4"));
        assert_eq!(route.broker_datas[0].broker_addrs.len(), 2);
    });
}

#[test]
fn a_compressed_registration_counts_and_a_damaged_one_does_not() {
    let ground = ground(1);
    ground.world.block_on(async {
        let _namesrv = ground.start().await;
        let broker = ground.broker();
        let body = topics().encode_compressed();
        let mut header = registration_header(0, BROKER);
        header.compressed = true;
        header.body_crc32 = RegisterBrokerBody::crc32(&body) ^ 1;
        let damaged =
            RemotingCommand::request(RequestCode::REGISTER_BROKER, &header).with_body(body.clone());
        let answer = broker.ask(damaged).await;
        assert_eq!(answer.response_code(), ResponseCode::SYSTEM_ERROR);
        assert!(answer.remark.unwrap().contains("crc32"));
        assert_eq!(broker.route("TopicA").await, None);
        header.body_crc32 ^= 1;
        let whole = RemotingCommand::request(RequestCode::REGISTER_BROKER, &header).with_body(body);
        assert_eq!(broker.ask(whole).await.response_code(), ResponseCode::SUCCESS);
        assert!(broker.route("TopicA").await.is_some());
    });
}

#[test]
fn a_broker_that_leaves_is_gone_and_asks_in_vain_whether_it_is_known() {
    let ground = ground(1);
    ground.world.block_on(async {
        let _namesrv = ground.start().await;
        let broker = ground.broker();
        let version = topics().topic_config_serialize_wrapper.data_version;
        let header = QueryDataVersionRequestHeader {
            broker_name: "broker-a".to_owned(),
            broker_addr: BROKER.to_owned(),
            cluster_name: "DefaultCluster".to_owned(),
            broker_id: 0,
        };
        let query = RemotingCommand::request(RequestCode::QUERY_DATA_VERSION, &header)
            .with_body(version.encode());
        let changed = |answer: &RemotingCommand| {
            answer.header::<QueryDataVersionResponseHeader>().unwrap().changed
        };
        assert!(changed(&broker.ask(query.clone()).await));
        broker.register(0, BROKER).await;
        let known = broker.ask(query.clone()).await;
        assert!(!changed(&known));
        assert_eq!(DataVersion::decode(&known.body).unwrap(), version);
        let leave = UnregisterBrokerRequestHeader {
            broker_name: "broker-a".to_owned(),
            broker_addr: BROKER.to_owned(),
            cluster_name: "DefaultCluster".to_owned(),
            broker_id: 0,
        };
        broker.ask(RemotingCommand::request(RequestCode::UNREGISTER_BROKER, &leave)).await;
        assert_eq!(broker.route("TopicA").await, None);
        assert!(changed(&broker.ask(query).await));
    });
}

#[test]
fn tools_see_clusters_and_topics_and_change_permissions() {
    let ground = ground(1);
    ground.world.block_on(async {
        let _namesrv = ground.start().await;
        let client = ground.client();
        let plain = RemotingCommand::request_without_header;
        let clusters = client.ask(plain(RequestCode::GET_BROKER_CLUSTER_INFO)).await;
        // As 4.9.8 answered when its last broker had left, in the recorded conversation.
        assert_eq!(clusters.body, r#"{"brokerAddrTable":{},"clusterAddrTable":{}}"#);
        ground.broker().register(0, BROKER).await;
        let broker = ground.broker();
        broker.register(0, BROKER).await;
        let clusters = client.ask(plain(RequestCode::GET_BROKER_CLUSTER_INFO)).await;
        let clusters = ClusterInfo::decode(&clusters.body).unwrap();
        assert!(clusters.cluster_addr_table["DefaultCluster"].contains("broker-a"));
        let list = |answer: RemotingCommand| TopicList::decode(&answer.body).unwrap();
        let all = list(client.ask(plain(RequestCode::GET_ALL_TOPIC_LIST_FROM_NAMESERVER)).await);
        assert_eq!(all.topic_list, ["TopicA"]);
        let system = list(client.ask(plain(RequestCode::GET_SYSTEM_TOPIC_LIST_FROM_NS)).await);
        assert_eq!(system.topic_list, ["DefaultCluster", "broker-a"]);
        assert_eq!(system.broker_addr.as_deref(), Some(BROKER));
        let header = GetTopicsByClusterRequestHeader { cluster: "DefaultCluster".to_owned() };
        let request = RemotingCommand::request(RequestCode::GET_TOPICS_BY_CLUSTER, &header);
        assert_eq!(list(client.ask(request).await).topic_list, ["TopicA"]);
        let header = WipeWritePermRequestHeader { broker_name: "broker-a".to_owned() };
        let wipe = RemotingCommand::request(RequestCode::WIPE_WRITE_PERM_OF_BROKER, &header);
        let wiped: WipeWritePermResponseHeader = client.ask(wipe).await.header().unwrap();
        assert_eq!(wiped.wipe_topic_count, 1);
        assert_eq!(client.route("TopicA").await.unwrap().queue_datas[0].perm, 4);
        let add = RemotingCommand::request(RequestCode::ADD_WRITE_PERM_OF_BROKER, &header);
        let added: AddWritePermResponseHeader = client.ask(add).await.header().unwrap();
        assert_eq!(added.add_topic_count, 1);
        assert_eq!(client.route("TopicA").await.unwrap().queue_datas[0].perm, 6);
    });
}

#[test]
fn what_nobody_serves_is_answered_so_and_what_lacks_a_field_too() {
    let ground = ground(1);
    ground.world.block_on(async {
        let _namesrv = ground.start().await;
        let client = ground.client();
        let unknown = RemotingCommand::request_without_header(RequestCode(4711));
        let answer = client.ask(unknown).await;
        assert_eq!(answer.response_code(), ResponseCode::REQUEST_CODE_NOT_SUPPORTED);
        assert_eq!(answer.remark.as_deref(), Some(" request type 4711 not supported"));
        let bare = RemotingCommand::request_without_header(RequestCode::GET_ROUTEINFO_BY_TOPIC);
        let answer = client.ask(bare).await;
        assert_eq!(answer.response_code(), ResponseCode::SYSTEM_ERROR);
        assert!(answer.remark.unwrap().contains("topic"));
    });
}

#[test]
fn an_acknowledged_key_survives_the_loss_of_power() {
    for seed in 0..20 {
        let ground = ground(seed);
        ground.world.block_on(async {
            let _namesrv = ground.start().await;
            let client = ground.client();
            for key in ["kept", "dropped"] {
                let put = PutKvConfigRequestHeader {
                    namespace: "ns1".to_owned(),
                    key: key.to_owned(),
                    value: "vv".to_owned(),
                };
                let put = RemotingCommand::request(RequestCode::PUT_KV_CONFIG, &put);
                assert_eq!(client.ask(put).await.response_code(), ResponseCode::SUCCESS);
            }
            let delete = DeleteKvConfigRequestHeader {
                namespace: "ns1".to_owned(),
                key: "dropped".to_owned(),
            };
            client.ask(RemotingCommand::request(RequestCode::DELETE_KV_CONFIG, &delete)).await;
            ground.world.power_fail(&ground.namesrv);
            ground.world.restart(&ground.namesrv);
            let _namesrv = ground.start().await;
            let client = ground.client();
            let get = |key: &str| {
                let header =
                    GetKvConfigRequestHeader { namespace: "ns1".to_owned(), key: key.to_owned() };
                client.ask(RemotingCommand::request(RequestCode::GET_KV_CONFIG, &header))
            };
            let kept: GetKvConfigResponseHeader = get("kept").await.header().unwrap();
            assert_eq!(kept.value.as_deref(), Some("vv"), "seed {seed}");
            assert_eq!(get("dropped").await.response_code(), ResponseCode::QUERY_NOT_FOUND);
            let list = GetKvListByNamespaceRequestHeader { namespace: "ns1".to_owned() };
            let list = RemotingCommand::request(RequestCode::GET_KVLIST_BY_NAMESPACE, &list);
            let table = KvTable::decode(&client.ask(list).await.body).unwrap();
            assert_eq!(table.table.len(), 1);
            let none = GetKvListByNamespaceRequestHeader { namespace: "ns2".to_owned() };
            let none = RemotingCommand::request(RequestCode::GET_KVLIST_BY_NAMESPACE, &none);
            assert_eq!(client.ask(none).await.response_code(), ResponseCode::QUERY_NOT_FOUND);
        });
    }
}

#[test]
fn a_restarted_name_server_is_empty_until_brokers_register_again() {
    let ground = ground(1);
    ground.world.block_on(async {
        let namesrv = ground.start().await;
        let broker = ground.broker();
        broker.register(0, BROKER).await;
        namesrv.shutdown().await;
        let _namesrv = ground.start().await;
        let client = ground.client();
        assert_eq!(client.route("TopicA").await, None);
        broker.register(0, BROKER).await;
        assert!(client.route("TopicA").await.is_some());
    });
}

#[test]
fn a_damaged_key_file_is_named_and_nothing_starts() {
    let ground = ground(1);
    ground.world.block_on(async {
        let runtime = ground.world.runtime(&ground.namesrv);
        runtime.disk.create_dir("namesrv").await.unwrap();
        runtime.disk.write("namesrv/kvConfig.json", b"{").await.unwrap();
        let error = Namesrv::start(&runtime, NamesrvConfig::default()).await.err().unwrap();
        let words = error.to_string();
        assert!(words.contains("kvConfig.json") && words.contains("repair"), "{words}");
    });
}
