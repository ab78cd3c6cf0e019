import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.common.UtilAll;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** What a broker shows of its queues: the bounds of each, and all its messages. */
final class Image {
    /** One queue. The messages are those of the offsets from MIN on. */
    record Queue(long min, long max, List<String> messages) { }

    private static final int EMPTY_PULLS_MAX = 100;
    final Map<String, Queue> queues = new TreeMap<>();

    /** Everything that a client can read of these queues, pulled one after another. */
    static Image of(DefaultMQPullConsumer client, Iterable<MessageQueue> queues) throws Exception {
        Image image = new Image();
        for (MessageQueue queue : queues) {
            image.queues.put(queue.getTopic() + "/" + queue.getQueueId(), read(client, queue));
        }
        return image;
    }

    private static Queue read(DefaultMQPullConsumer client, MessageQueue queue) throws Exception {
        long min = client.minOffset(queue);
        long max = client.maxOffset(queue);
        List<String> messages = new ArrayList<>();
        long at = min;
        int empty = 0;
        while (at < max) {
            PullResult result = client.pull(queue, "*", at, 32);
            if (result.getPullStatus() == PullStatus.FOUND) {
                for (MessageExt message : result.getMsgFoundList()) {
                    must(message.getQueueOffset() == at + messages.size() - (at - min),
                        queue + ": " + message.getQueueOffset() + " follows " + messages.size());
                    messages.add(print(message));
                }
            } else if (++empty > EMPTY_PULLS_MAX) {
                throw new AssertionError(queue + " at " + at + " of " + max + ": " + result);
            }
            at = result.getNextBeginOffset();
        }
        return new Queue(min, max, messages);
    }

    /** Everything that is stored of a message, as text. */
    static String print(MessageExt message) {
        Map<String, String> properties = new TreeMap<>(message.getProperties());
        // The client puts these two in by itself.
        properties.remove("MIN_OFFSET");
        properties.remove("MAX_OFFSET");
        return message.getQueueOffset() + " log " + message.getCommitLogOffset()
            + " size " + message.getStoreSize() + " flags " + message.getFlag() + "/" + message.getSysFlag()
            + " crc " + UtilAll.crc32(message.getBody()) + " len " + message.getBody().length
            + " born " + message.getBornTimestamp() + "@" + message.getBornHostString()
            + " stored " + message.getStoreTimestamp() + "@" + message.getStoreHost()
            + " again " + message.getReconsumeTimes() + " half " + message.getPreparedTransactionOffset()
            + " " + properties;
    }

    int count() {
        return queues.values().stream().mapToInt(queue -> queue.messages().size()).sum();
    }

    /** Must be equal to what another broker shows of the same directory; queues of GROWING may have more. */
    void mustEqual(Image other, String growing) {
        for (Map.Entry<String, Queue> entry : queues.entrySet()) {
            Queue mine = entry.getValue();
            Queue theirs = other.queues.get(entry.getKey());
            String name = entry.getKey();
            must(theirs != null, name + " is missing");
            must(mine.min() == theirs.min(), name + " min " + mine.min() + " became " + theirs.min());
            boolean mayGrow = name.startsWith(growing + "/") && mine.max() < theirs.max();
            must(mine.max() == theirs.max() || mayGrow, name + " max " + mine.max() + " became " + theirs.max());
            for (int i = 0; i < mine.messages().size(); i++) {
                String was = mine.messages().get(i);
                String is = i < theirs.messages().size() ? theirs.messages().get(i) : "nothing";
                must(was.equals(is), name + ": " + was + "\n  became " + is);
            }
        }
    }

    static void must(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }
}
