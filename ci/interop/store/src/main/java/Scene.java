import com.alibaba.fastjson.JSON;
import com.alibaba.fastjson.JSONObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.rocketmq.broker.out.BrokerOuterAPI;
import org.apache.rocketmq.client.QueryResult;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.store.ReadOffsetType;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.netty.NettyClientConfig;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;

/** One store directory, its brokers one after another, and what is known of its contents. */
final class Scene {
    static final int QUEUES = 4;
    private static final int DELAY_LEVELS = 18;

    private final String hotfire;
    private final String name;
    private final Path home;
    private final Path conf;
    private final int port;
    final Path store;
    private final DefaultMQPullConsumer client;
    private final DefaultMQAdminExt admin;
    final Traffic traffic;
    /** The committed offsets of two groups, by group and queue. */
    private final Map<String, Long> committed = new TreeMap<>();
    private long committedAt = 0;
    private Node broker;

    Scene(String hotfire, Path scratch, String namesrv, String name, long segment) throws Exception {
        this.hotfire = hotfire;
        this.name = name;
        home = home(scratch.resolve(name));
        store = home.resolve("store");
        conf = home.resolve("broker.conf");
        port = Node.freePort();
        Files.writeString(conf, String.join("\n", "brokerClusterName=Interop", "brokerName=" + name,
            "brokerId=0", "namesrvAddr=" + namesrv, "brokerIP1=127.0.0.1", "listenPort=" + port,
            "storePathRootDir=" + store, "storePathCommitLog=" + store.resolve("commitlog"),
            "mappedFileSizeCommitLog=" + segment, "mappedFileSizeConsumeQueue=6000",
            "maxHashSlotNum=5000", "maxIndexNum=20000", "flushConsumerOffsetInterval=1000",
            "enablePropertyFilter=true", ""));
        client = new DefaultMQPullConsumer(name + "-reader");
        client.setNamesrvAddr(namesrv);
        client.setInstanceName(name);
        client.start();
        admin = new DefaultMQAdminExt();
        admin.setNamesrvAddr(namesrv);
        admin.setInstanceName(name + "-admin");
        admin.start();
        traffic = new Traffic(namesrv, name);
    }

    /** A directory that RocketMQ accepts as its home. */
    static Path home(Path directory) throws Exception {
        Files.createDirectories(directory.resolve("conf"));
        for (String file : List.of("logback_broker.xml", "logback_namesrv.xml")) {
            Files.writeString(directory.resolve("conf").resolve(file), "<configuration/>");
        }
        return directory;
    }

    /** Lets go of everything, whatever state it is in. */
    void end() throws Exception {
        traffic.end();
        client.shutdown();
        admin.shutdown();
        if (broker != null) {
            broker.kill();
        }
    }

    /** Starts RocketMQ or hotfire on the directory. */
    void serve(String kind) throws Exception {
        broker = start(kind);
        broker.listens(port);
        for (int tries = 0; !admin.examineBrokerClusterInfo().getBrokerAddrTable().containsKey(name); tries++) {
            Image.must(tries < 300, kind + " does not register:\n" + broker.words());
            Thread.sleep(100);
        }
    }

    private Node start(String kind) throws Exception {
        return kind.equals("hotfire") ? Node.hotfire(hotfire, home, conf) : Node.rocketmq(home, conf);
    }

    /** hotfire must not open the directory while the broker that runs has it. */
    void mustBeLocked() throws Exception {
        Node second = start("hotfire");
        Image.must(second.ends(), "hotfire opened a directory that " + broker.name + " serves");
        Image.must(second.words().contains("lock"), "hotfire said no word about the lock:\n" + second.words());
    }

    void stop() throws Exception {
        broker.stop();
        Image.must(!Files.exists(store.resolve("abort")), broker.name + " left its abort file");
    }

    /** Kills the broker once it has written the groups' progress: RocketMQ does so 10 s after its start. */
    void kill() throws Exception {
        Path offsets = store.resolve("config").resolve("consumerOffset.json");
        for (int tries = 0; !Files.exists(offsets) || Files.getLastModifiedTime(offsets).toMillis() <= committedAt; tries++) {
            Image.must(tries < 300, broker.name + " does not write the groups' progress");
            Thread.sleep(100);
        }
        broker.kill();
        Image.must(Files.exists(store.resolve("abort")), broker.name + " had no abort file");
    }

    void createTopics() throws Exception {
        for (String topic : traffic.topics()) {
            TopicConfig config = new TopicConfig(topic);
            config.setReadQueueNums(QUEUES);
            config.setWriteQueueNums(QUEUES);
            admin.createAndUpdateTopicConfig("127.0.0.1:" + port, config);
        }
        for (int tries = 0; tries < 100; tries++) {
            try {
                client.fetchSubscribeMessageQueues(traffic.transaction);
                return;
            } catch (Exception notYet) {
                Thread.sleep(100);
            }
        }
        throw new AssertionError("no route to the topics");
    }

    /** Everything that the broker shows of the topics, or of RocketMQ's own ones, too. */
    Image image(boolean withSystem) throws Exception {
        List<MessageQueue> queues = new ArrayList<>();
        for (String topic : traffic.topics()) {
            // The topics are known to whoever has the directory: this asks the name server.
            List<MessageQueue> found = new ArrayList<>(client.fetchSubscribeMessageQueues(topic));
            Image.must(found.size() == QUEUES, topic + " has " + found.size() + " queues");
            queues.addAll(found);
        }
        if (withSystem) {
            for (int queue = 0; queue < DELAY_LEVELS; queue++) {
                queues.add(new MessageQueue("SCHEDULE_TOPIC_XXXX", name, queue));
            }
            // RocketMQ does not know its transaction topics until it first checks them, after 60 s:
            // halves are read from the files only.
            queues.add(new MessageQueue("%RETRY%" + retryGroup(), name, 0));
        }
        return Image.of(client, queues);
    }

    /** The broker shows what the last one showed. Delayed messages may have come due since. */
    void mustShow(Image before, boolean withSystem) throws Exception {
        before.mustEqual(image(withSystem), traffic.delayed);
    }

    private String retryGroup() {
        return name + "-reader";
    }

    void sendBack() throws Exception {
        Traffic.sendBack(client, new MessageQueue(traffic.normal, name, 0), retryGroup());
    }

    /** A group that selects by SQL92 comes and goes; only RocketMQ takes it so far. */
    void selectBySql() throws Exception {
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(name + "-sql");
        consumer.setNamesrvAddr(admin.getNamesrvAddr());
        consumer.setInstanceName(name + "-sql");
        consumer.subscribe(traffic.normal, MessageSelector.bySql("number > 5 AND KEYS IS NOT NULL"));
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) ->
            ConsumeConcurrentlyStatus.CONSUME_SUCCESS);
        consumer.start();
        Thread.sleep(500);
        consumer.shutdown();
    }

    /** What the files say of delay levels and filters. */
    List<JSONObject> carried() throws Exception {
        List<JSONObject> tables = new ArrayList<>();
        for (String file : List.of("delayOffset.json", "consumerFilter.json")) {
            tables.add(JSON.parseObject(Files.readString(store.resolve("config").resolve(file))));
        }
        return tables;
    }

    /** RocketMQ left progress of the level of 1 s, and a filter. */
    List<JSONObject> mustBeCarried() throws Exception {
        List<JSONObject> tables = carried();
        JSONObject progress = tables.get(0).getJSONObject("offsetTable");
        Image.must(((Number) progress.get(1)).longValue() > 0, "no progress of level 1: " + tables.get(0));
        String filters = tables.get(1).toJSONString();
        Image.must(filters.contains("number > 5 AND KEYS IS NOT NULL"), "no filter: " + filters);
        return tables;
    }

    /** hotfire tells a slave, and an admin, how far RocketMQ was with its delay levels. */
    void mustTellDelays(JSONObject wanted) throws Exception {
        String address = "127.0.0.1:" + port;
        BrokerOuterAPI slave = new BrokerOuterAPI(new NettyClientConfig());
        slave.start();
        try {
            JSONObject told = JSON.parseObject(slave.getAllDelayOffset(address));
            Image.must(told.equals(wanted), "a slave is told " + told + " instead of " + wanted);
        } finally {
            slave.shutdown();
        }
        String level = admin.fetchBrokerRuntimeStats(address).getTable().get("scheduleMessageOffset_1");
        Object progress = wanted.getJSONObject("offsetTable").get(1);
        Image.must((progress + "," + progress).equals(level), "brokerStatus says of level 1: " + level);
        String warning = "delayed messages of RocketMQ are kept and not delivered";
        Image.must(broker.everything().stream().anyMatch(line -> line.contains(warning)),
            "hotfire does not say that delayed messages wait");
    }

    /** How many messages stand in the queues of a topic. */
    long count(String topic) throws Exception {
        long count = 0;
        for (MessageQueue queue : client.fetchSubscribeMessageQueues(topic)) {
            count += client.maxOffset(queue) - client.minOffset(queue);
        }
        return count;
    }

    /** Moves the progress of two groups on, to a half and to a third of every queue. */
    void commit() throws Exception {
        for (int part : List.of(2, 3)) {
            DefaultMQPullConsumer group = group(part);
            for (MessageQueue queue : client.fetchSubscribeMessageQueues(traffic.normal)) {
                long offset = client.maxOffset(queue) / part;
                group.getDefaultMQPullConsumerImpl().updateConsumeOffset(queue, offset);
                group.getOffsetStore().updateConsumeOffsetToBroker(queue, offset, false);
                committed.put(part + "/" + queue.getQueueId(), offset);
            }
            group.shutdown();
        }
        committedAt = System.currentTimeMillis();
    }

    void mustGoOn() throws Exception {
        for (int part : List.of(2, 3)) {
            DefaultMQPullConsumer group = group(part);
            for (MessageQueue queue : client.fetchSubscribeMessageQueues(traffic.normal)) {
                long offset = group.getOffsetStore().readOffset(queue, ReadOffsetType.READ_FROM_STORE);
                long expected = committed.get(part + "/" + queue.getQueueId());
                Image.must(offset == expected, queue + ": progress " + expected + " became " + offset);
            }
            group.shutdown();
        }
    }

    private DefaultMQPullConsumer group(int part) throws Exception {
        DefaultMQPullConsumer group = new DefaultMQPullConsumer(name + "-group-" + part);
        group.setNamesrvAddr(client.getNamesrvAddr());
        group.setInstanceName(name + "-" + part + "-" + System.nanoTime());
        group.start();
        return group;
    }

    /** Every message is found by the id that its acknowledgement gave it. */
    void view() throws Exception {
        for (Map.Entry<String, String> id : traffic.ids.entrySet()) {
            MessageExt found = client.viewMessage(id.getKey());
            String body = new String(found.getBody(), StandardCharsets.UTF_8);
            Image.must(body.equals(id.getValue()), id.getKey() + " is " + body);
        }
    }

    /** Every key finds its message, or only the newest one does. */
    void query(boolean onlyNewest) throws Exception {
        Map<String, String> keys = onlyNewest ? traffic.keys.tailMap(traffic.keys.lastKey()) : traffic.keys;
        for (Map.Entry<String, String> key : keys.entrySet()) {
            QueryResult result = admin.queryMessage(traffic.normal, key.getKey(), 32, 0, Long.MAX_VALUE);
            List<MessageExt> found = result.getMessageList();
            Image.must(found.size() == 1, key.getKey() + " finds " + found.size());
            String body = new String(found.get(0).getBody(), StandardCharsets.UTF_8);
            Image.must(body.equals(key.getValue()), key.getKey() + " finds " + body);
        }
    }
}
