import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageClientExt;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** Sends and consumes every way the first broker knows, and checks what arrived. */
public class Interop {
    static final int WAIT_SECONDS = 90;
    static String namesrv;
    static String topic;
    static String run;
    static final Set<String> sent = ConcurrentHashMap.newKeySet();
    static int passed = 0;
    static int failed = 0;

    interface Check {
        void run() throws Exception;
    }

    static void check(String name, Check check) {
        long start = System.nanoTime();
        try {
            check.run();
            passed++;
            System.out.printf("ok      %-46s %5d ms%n", name, (System.nanoTime() - start) / 1000000);
        } catch (Throwable error) {
            failed++;
            System.out.println("FAILED  " + name + ": " + error);
            error.printStackTrace(System.out);
        }
    }

    static void must(boolean condition, String otherwise) {
        if (!condition) {
            throw new AssertionError(otherwise);
        }
    }

    static void sameAsSent(Collection<String> received, Set<String> expected) {
        Set<String> missing = new TreeSet<>(expected);
        missing.removeAll(received);
        Set<String> phantom = new TreeSet<>(received);
        phantom.removeAll(expected);
        must(missing.isEmpty(), missing.size() + " missing, such as " + first(missing));
        must(phantom.isEmpty(), phantom.size() + " never sent, such as " + first(phantom));
    }

    static String first(Set<String> set) {
        return set.isEmpty() ? "none" : set.iterator().next();
    }

    static Message message(String kind, int i) {
        String body = kind + "-" + i;
        Message message = new Message(topic, i % 2 == 0 ? "TagA" : "TagB", "key-" + body,
            body.getBytes(StandardCharsets.UTF_8));
        message.putUserProperty("colour", "r\u00f6d " + i);
        return message;
    }

    static String body(MessageExt message) {
        String body = new String(message.getBody(), StandardCharsets.UTF_8);
        int i = Integer.parseInt(body.substring(body.indexOf('-') + 1));
        must(("key-" + body).equals(message.getKeys()), "keys of " + body + " are " + message.getKeys());
        must((i % 2 == 0 ? "TagA" : "TagB").equals(message.getTags()), "tag of " + body);
        must(("r\u00f6d " + i).equals(message.getUserProperty("colour")), "property of " + body);
        return body;
    }

    static void note(SendResult result, String body) {
        must(result.getSendStatus() == SendStatus.SEND_OK, body + " got " + result.getSendStatus());
        sent.add(body);
    }

    static void send(DefaultMQProducer producer) {
        check("sync send of 1,000", () -> {
            Map<MessageQueue, Long> last = new HashMap<>();
            for (int i = 0; i < 1000; i++) {
                SendResult result = producer.send(message("sync", i));
                note(result, "sync-" + i);
                Long before = last.put(result.getMessageQueue(), result.getQueueOffset());
                must(before == null || before < result.getQueueOffset(), "queue offsets do not rise");
            }
            must(last.size() > 1, "one queue took all");
        });
        check("async send of 200", () -> {
            CountDownLatch answered = new CountDownLatch(200);
            AtomicInteger ok = new AtomicInteger();
            for (int i = 0; i < 200; i++) {
                String body = "async-" + i;
                producer.send(message("async", i), new SendCallback() {
                    @Override public void onSuccess(SendResult result) {
                        if (result.getSendStatus() == SendStatus.SEND_OK) {
                            sent.add(body);
                            ok.incrementAndGet();
                        }
                        answered.countDown();
                    }
                    @Override public void onException(Throwable error) {
                        System.out.println(body + ": " + error);
                        answered.countDown();
                    }
                });
            }
            must(answered.await(WAIT_SECONDS, TimeUnit.SECONDS), "callbacks are missing");
            must(ok.get() == 200, ok.get() + " of 200 sends succeeded");
        });
        check("oneway send of 100", () -> {
            for (int i = 0; i < 100; i++) {
                producer.sendOneway(message("oneway", i));
                sent.add("oneway-" + i);
            }
        });
        check("batch send of 10 x 10", () -> {
            for (int batch = 0; batch < 10; batch++) {
                List<Message> messages = new ArrayList<>();
                for (int i = 0; i < 10; i++) {
                    messages.add(message("batch", batch * 10 + i));
                }
                SendResult result = producer.send(messages);
                must(result.getOffsetMsgId().split(",").length == 10, "ids: " + result.getOffsetMsgId());
                for (int i = 0; i < 10; i++) {
                    note(result, "batch-" + (batch * 10 + i));
                }
            }
        });
        check("messages by key and by unique key", () -> {
            String keyed = topic + "_keys", key = "other" + run;
            Message message = new Message(keyed, "TagA", "key" + run + " " + key, "by key".getBytes());
            SendResult result = producer.send(message);
            must(result.getSendStatus() == SendStatus.SEND_OK, "got " + result.getSendStatus());
            long now = System.currentTimeMillis();
            List<MessageExt> found = new ArrayList<>();
            for (int i = 0; i < WAIT_SECONDS * 5 && found.isEmpty(); i++) {
                try {
                    found = producer.queryMessage(keyed, key, 32, now - 3600000, now + 3600000).getMessageList();
                } catch (Exception none) { // the client throws when there is none yet
                    Thread.sleep(200);
                }
            }
            must(found.size() == 1 && new String(found.get(0).getBody()).equals("by key"), "by key: " + found);
            MessageExt same = producer.viewMessage(keyed, result.getMsgId());
            must(new String(same.getBody()).equals("by key"), "by unique key: " + same);
        });
        check("64 KiB body (compressed by the client)", () -> {
            byte[] large = new byte[65536];
            Arrays.fill(large, (byte) 'x');
            Message message = new Message(topic + "_large", "TagA", large);
            SendResult result = producer.send(message);
            must(result.getSendStatus() == SendStatus.SEND_OK, "got " + result.getSendStatus());
            MessageExt back = producer.viewMessage(topic + "_large", result.getOffsetMsgId());
            must(Arrays.equals(back.getBody(), large), "the body differs");
        });
    }

    static DefaultMQPushConsumer push(String group, String tags) throws Exception {
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(group + run);
        consumer.setNamesrvAddr(namesrv);
        consumer.setInstanceName(group + System.nanoTime());
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.subscribe(topic, tags);
        return consumer;
    }

    static void await(String what, Collection<String> received, int expected) throws Exception {
        for (int i = 0; i < WAIT_SECONDS * 10 && received.size() < expected; i++) {
            Thread.sleep(100);
        }
        must(received.size() >= expected, what + ": " + received.size() + " of " + expected);
    }

    static MessageListenerConcurrently into(Collection<String> received) {
        return (messages, context) -> {
            for (MessageExt message : messages) {
                received.add(body(message));
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        };
    }

    static void consume() {
        check("push consumer", () -> {
            Collection<String> received = Collections.synchronizedList(new ArrayList<>());
            DefaultMQPushConsumer consumer = push("push", "*");
            consumer.registerMessageListener(into(received));
            consumer.start();
            await("push", received, sent.size());
            Thread.sleep(500);
            consumer.shutdown();
            sameAsSent(received, sent);
            must(received.size() == sent.size(), received.size() - sent.size() + " duplicates");
        });
        check("push consumer resumes at its offset", () -> {
            Collection<String> received = Collections.synchronizedList(new ArrayList<>());
            DefaultMQPushConsumer consumer = push("push", "*");
            consumer.registerMessageListener(into(received));
            consumer.start();
            Thread.sleep(3000);
            consumer.shutdown();
            must(received.isEmpty(), received.size() + " messages came twice");
        });
        check("push consumer of one tag", () -> {
            Set<String> wanted = new TreeSet<>();
            for (String body : sent) {
                if (Integer.parseInt(body.substring(body.indexOf('-') + 1)) % 2 == 0) {
                    wanted.add(body);
                }
            }
            Set<String> received = ConcurrentHashMap.newKeySet();
            DefaultMQPushConsumer consumer = push("tagged", "TagA");
            consumer.registerMessageListener(into(received));
            consumer.start();
            await("tagged", received, wanted.size());
            Thread.sleep(500);
            consumer.shutdown();
            sameAsSent(received, wanted);
        });
        check("two push consumers share the queues", () -> {
            Set<String> one = ConcurrentHashMap.newKeySet();
            Set<String> two = ConcurrentHashMap.newKeySet();
            DefaultMQPushConsumer first = push("shared", "*");
            DefaultMQPushConsumer second = push("shared", "*");
            first.registerMessageListener(into(one));
            second.registerMessageListener(into(two));
            first.start();
            second.start();
            Thread.sleep(2000);
            DefaultMQProducer producer = producer("sharing");
            Set<String> late = new TreeSet<>();
            for (int i = 0; i < 200; i++) {
                note(producer.send(message("shared", i)), "shared-" + i);
                late.add("shared-" + i);
            }
            producer.shutdown();
            Set<String> both = ConcurrentHashMap.newKeySet();
            for (int i = 0; i < WAIT_SECONDS * 10 && both.size() < sent.size(); i++) {
                Thread.sleep(100);
                both.addAll(one);
                both.addAll(two);
            }
            first.shutdown();
            second.shutdown();
            sameAsSent(both, sent);
            one.retainAll(late);
            two.retainAll(late);
            must(!one.isEmpty() && !two.isEmpty(), "one of the two got nothing of the late ones");
        });
        check("orderly consumer (queue locks)", () -> {
            Map<Integer, Long> last = new ConcurrentHashMap<>();
            Set<String> received = ConcurrentHashMap.newKeySet();
            AtomicInteger disorder = new AtomicInteger();
            DefaultMQPushConsumer consumer = push("orderly", "*");
            consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
                for (MessageExt message : messages) {
                    Long before = last.put(message.getQueueId(), message.getQueueOffset());
                    if (before != null && before >= message.getQueueOffset()) {
                        disorder.incrementAndGet();
                    }
                    received.add(body(message));
                }
                return ConsumeOrderlyStatus.SUCCESS;
            });
            consumer.start();
            await("orderly", received, sent.size());
            consumer.shutdown();
            sameAsSent(received, sent);
            must(disorder.get() == 0, disorder.get() + " out of order");
        });
        check("long poll: a message arrives at a waiting consumer", () -> {
            Collection<String> received = Collections.synchronizedList(new ArrayList<>());
            DefaultMQPushConsumer consumer = push("waiting", "*");
            consumer.registerMessageListener(into(received));
            consumer.start();
            await("waiting", received, sent.size());
            DefaultMQProducer producer = producer("late");
            for (int i = 0; i < 20; i++) {
                note(producer.send(message("late", i)), "late-" + i);
                await("late", received, sent.size());
            }
            producer.shutdown();
            consumer.shutdown();
        });
    }

    @SuppressWarnings("deprecation")
    static void pull() {
        check("pull consumer, offsets, search, view", () -> {
            DefaultMQPullConsumer consumer = new DefaultMQPullConsumer("pull" + run);
            consumer.setNamesrvAddr(namesrv);
            consumer.start();
            List<String> received = new ArrayList<>();
            for (MessageQueue queue : consumer.fetchSubscribeMessageQueues(topic)) {
                long min = consumer.minOffset(queue);
                long max = consumer.maxOffset(queue);
                must(min == 0, "min offset " + min);
                must(consumer.searchOffset(queue, 0) == 0, "search at time 0");
                must(consumer.searchOffset(queue, System.currentTimeMillis() + 3600000) >= max - 1,
                    "search in the future");
                for (long offset = min; offset < max; ) {
                    PullResult result = consumer.pull(queue, "*", offset, 32);
                    must(result.getPullStatus() == PullStatus.FOUND, queue + "@" + offset + " " + result);
                    for (MessageExt message : result.getMsgFoundList()) {
                        must(message.getQueueOffset() == offset++, "an offset is skipped");
                        received.add(body(message));
                    }
                    must(result.getNextBeginOffset() == offset, "next begin offset");
                }
                PullResult end = consumer.pull(queue, "*", max, 32);
                must(end.getPullStatus() == PullStatus.NO_NEW_MSG, "at the end: " + end);
                PullResult beyond = consumer.pull(queue, "*", max + 1000, 32);
                must(beyond.getPullStatus() == PullStatus.OFFSET_ILLEGAL, "beyond: " + beyond);
                consumer.updateConsumeOffset(queue, max);
                if (max > 0) {
                    MessageExt one = consumer.pull(queue, "*", 0, 1).getMsgFoundList().get(0);
                    MessageExt same = consumer.viewMessage(topic, ((MessageClientExt) one).getOffsetMsgId());
                    must(Arrays.equals(same.getBody(), one.getBody()), "viewMessage differs");
                }
            }
            sameAsSent(received, sent);
            must(received.size() == sent.size(), "duplicates in the queues");
            consumer.shutdown();
        });
        check("lite pull consumer", () -> {
            DefaultLitePullConsumer consumer = new DefaultLitePullConsumer("lite" + run);
            consumer.setNamesrvAddr(namesrv);
            consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
            consumer.subscribe(topic, "*");
            consumer.start();
            Set<String> received = new TreeSet<>();
            for (int i = 0; i < WAIT_SECONDS * 2 && received.size() < sent.size(); i++) {
                for (MessageExt message : consumer.poll(500)) {
                    received.add(body(message));
                }
            }
            consumer.commitSync();
            consumer.shutdown();
            sameAsSent(received, sent);
        });
    }

    static DefaultMQProducer producer(String group) throws Exception {
        DefaultMQProducer producer = new DefaultMQProducer(group + run);
        producer.setNamesrvAddr(namesrv);
        producer.setInstanceName(group + System.nanoTime());
        producer.setSendMsgTimeout(10000);
        producer.start();
        return producer;
    }

    /** Creates a topic, for clients that cannot. */
    static void create(String name) throws Exception {
        run = "";
        DefaultMQProducer producer = producer("creator");
        // 5.x has a fourth argument, the attributes.
        for (Method method : DefaultMQProducer.class.getMethods()) {
            Class<?>[] types = method.getParameterTypes();
            boolean attributes = types.length == 4 && types[3] == Map.class;
            if (method.getName().equals("createTopic") && types.length == 3) {
                method.invoke(producer, "TBW102", name, 4);
            } else if (method.getName().equals("createTopic") && attributes) {
                method.invoke(producer, "TBW102", name, 4, new HashMap<String, String>());
            }
        }
        producer.shutdown();
    }

    public static void main(String[] args) throws Exception {
        namesrv = args[0];
        if (args.length > 1) {
            create(args[1]);
            System.exit(0);
        }
        run = "_" + Long.toString(System.currentTimeMillis(), 36);
        topic = "Interop" + run;
        DefaultMQProducer producer = producer("producer");
        send(producer);
        producer.shutdown();
        consume();
        pull();
        System.out.println(passed + " passed, " + failed + " failed");
        System.exit(failed == 0 ? 0 : 1);
    }
}
