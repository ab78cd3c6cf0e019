import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** Sends every kind of message, and remembers where each was acknowledged to be. */
final class Traffic {
    final String normal;
    final String batch;
    final String delayed;
    final String transaction;
    /** The delay level of 10 s. */
    static final int LEVEL_10S = 3;
    static final int LEVEL_2H = 18;

    private final DefaultMQProducer producer;
    private final TransactionMQProducer transactions;
    /** Body by topic/queue/offset, as acknowledged. */
    final Map<String, String> acknowledged = new TreeMap<>();
    /** The next offset of every queue, as acknowledged. */
    private final Map<String, Long> next = new HashMap<>();
    /** One key of a message per phase, with its body. */
    final TreeMap<String, String> keys = new TreeMap<>();
    /** Bodies by message id: some of each topic. */
    final Map<String, String> ids = new TreeMap<>();
    private int phase = 0;

    /** The topics carry the scenario's name, because all scenarios share one name server. */
    Traffic(String namesrv, String scenario) throws Exception {
        normal = scenario + "-normal";
        batch = scenario + "-batch";
        delayed = scenario + "-delayed";
        transaction = scenario + "-transaction";
        String group = scenario + "-writer";
        producer = new DefaultMQProducer(group);
        producer.setNamesrvAddr(namesrv);
        producer.setSendMsgTimeout(10000);
        producer.setCompressMsgBodyOverHowmuch(1 << 20);
        producer.start();
        transactions = new TransactionMQProducer(group + "-transactions");
        transactions.setNamesrvAddr(namesrv);
        transactions.setSendMsgTimeout(10000);
        transactions.setTransactionListener(new ByName());
        transactions.start();
    }

    List<String> topics() {
        return List.of(normal, batch, delayed, transaction);
    }

    void end() {
        producer.shutdown();
        transactions.shutdown();
    }

    /** What every broker takes: tags, keys, properties, several queues, batches. */
    void common(int count) throws Exception {
        phase++;
        for (int i = 0; i < count; i++) {
            Message message = message(normal, "n" + phase + "-" + i, i);
            note(producer.send(message), normal, message);
        }
        for (int round = 0; round < count / 20; round++) {
            List<Message> messages = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                messages.add(message(batch, "b" + phase + "-" + (round * 10 + i), i));
            }
            note(producer.send(messages), batch, messages.toArray(new Message[0]));
        }
        keys.put("key-n" + phase + "-7", body(phase, 7));
    }

    /** What only RocketMQ takes so far: delays, transactions. Gives how many come due in 10 s. */
    int special() throws Exception {
        for (int i = 0; i < 20; i++) {
            Message message = message(delayed, "d" + phase + "-" + i, i);
            message.setDelayTimeLevel(i < 10 ? LEVEL_10S : LEVEL_2H);
            Image.must(producer.send(message).getSendStatus() == SendStatus.SEND_OK, "a delayed send");
        }
        for (int i = 0; i < 12; i++) {
            String end = List.of("commit", "rollback", "unknown").get(i % 3);
            Message message = message(transaction, end + phase + "-" + i, i);
            transactions.sendMessageInTransaction(message, end);
        }
        return 10;
    }

    /** Hands one message of the queue back, so that it goes to the group's retry topic later. */
    static void sendBack(DefaultMQPullConsumer consumer, MessageQueue queue, String group) throws Exception {
        PullResult result = consumer.pull(queue, "*", 0, 1);
        consumer.sendMessageBack(result.getMsgFoundList().get(0), 1, queue.getBrokerName(), group);
    }

    /** The text of message I of a phase: from a few bytes to 60 KB, the same again for the same name. */
    private static String body(int phase, int i) {
        return text("n" + phase + "-" + i, i);
    }

    private static String text(String name, int i) {
        int len = i % 50 == 49 ? 60000 : i * 37 % 1500;
        return name + " " + "hot\u00e4".repeat(len / 5);
    }

    private static Message message(String topic, String name, int i) {
        Message message = new Message(topic, "Tag" + (char) ('A' + i % 3), "key-" + name,
            text(name, i).getBytes(StandardCharsets.UTF_8));
        message.putUserProperty("colour", "r\u00f6d " + i);
        message.setFlag(i);
        if (i % 5 == 0) {
            message.setTags(null);
            message.setKeys("key-" + name + " second-" + name);
        }
        return message;
    }

    private void note(SendResult result, String topic, Message... messages) {
        Image.must(result.getSendStatus() == SendStatus.SEND_OK, topic + " got " + result.getSendStatus());
        int queue = result.getMessageQueue().getQueueId();
        String name = topic + "/" + queue;
        String first = result.getOffsetMsgId().split(",")[0];
        if (result.getQueueOffset() % 10 == 0) {
            ids.put(first, new String(messages[0].getBody(), StandardCharsets.UTF_8));
        }
        for (int i = 0; i < messages.length; i++) {
            // A batch answers with the offset of its first message.
            long offset = result.getQueueOffset() + i;
            Long expected = next.put(name, offset + 1);
            Image.must(expected == null || expected == offset, name + " goes on at " + offset + " instead of " + expected);
            acknowledged.put(name + "/" + offset, new String(messages[i].getBody(), StandardCharsets.UTF_8));
        }
    }

    /** Every acknowledged message must be where its acknowledgement said. */
    void mustBeIn(Files49 files) {
        acknowledged.keySet().forEach(at -> Image.must(files.records.containsKey(at), at + " was acknowledged and is gone"));
    }

    private static final class ByName implements TransactionListener {
        @Override public LocalTransactionState executeLocalTransaction(Message message, Object end) {
            return switch ((String) end) {
                case "commit" -> LocalTransactionState.COMMIT_MESSAGE;
                case "rollback" -> LocalTransactionState.ROLLBACK_MESSAGE;
                default -> LocalTransactionState.UNKNOW;
            };
        }

        @Override public LocalTransactionState checkLocalTransaction(MessageExt message) {
            return LocalTransactionState.UNKNOW;
        }
    }
}
