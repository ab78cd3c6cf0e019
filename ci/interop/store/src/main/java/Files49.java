import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/** The files of a stopped store, read byte by byte with neither broker's code (internals.md §1). */
final class Files49 {
    private static final int MAGIC = 0xDAA320A7;
    private static final int BLANK = 0xCBD43194;
    private static final long[] LEVELS = {1, 5, 10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540,
        600, 1200, 1800, 3600, 7200};

    /** A record, and what its ConsumeQueue entry must be. */
    record Entry(long offset, int size, long tagsCode) { }

    final Map<String, Entry> records = new HashMap<>();
    int entries = 0;
    int segments = 0;

    /** Reads the whole log, then holds every queue entry against it. */
    static Files49 check(Path store) throws IOException {
        Files49 files = new Files49();
        for (Path segment : sorted(store.resolve("commitlog"))) {
            files.segment(segment);
        }
        for (Path topic : sorted(store.resolve("consumequeue"))) {
            for (Path queue : sorted(topic)) {
                files.queue(topic.getFileName() + "/" + queue.getFileName(), queue);
            }
        }
        Image.must(files.entries == files.records.size(),
            files.records.size() + " records have " + files.entries + " queue entries");
        return files;
    }

    private void segment(Path path) throws IOException {
        long base = Long.parseLong(path.getFileName().toString());
        ByteBuffer bytes = map(path);
        segments++;
        while (bytes.remaining() >= 8) {
            int at = bytes.position();
            int size = bytes.getInt(at);
            int magic = bytes.getInt(at + 4);
            if (magic == 0 && size == 0) {
                mustBeZero(bytes, path);
                return;
            }
            if (magic == BLANK) {
                Image.must(size == bytes.remaining(), path + ": a blank of " + size + " at " + at);
                return;
            }
            Image.must(magic == MAGIC, path + ": no record at " + at);
            record(bytes.slice(at, size), base + at);
            bytes.position(at + size);
        }
    }

    private static void mustBeZero(ByteBuffer bytes, Path path) {
        while (bytes.remaining() >= 8) {
            int at = bytes.position();
            Image.must(bytes.getLong() == 0, path + ": old bytes at " + at + " behind the end");
        }
    }

    private void record(ByteBuffer record, long offset) {
        Image.must(record.getLong(28) == offset, "the record at " + offset + " says " + record.getLong(28));
        int body = record.getInt(84);
        CRC32 crc = new CRC32();
        crc.update(record.slice(88, body));
        Image.must((crc.getValue() & 0x7FFFFFFF) == record.getInt(8), "the body at " + offset);
        int at = 88 + body;
        String topic = text(record, at + 1, record.get(at) & 0xFF);
        at += 1 + (record.get(at) & 0xFF);
        String properties = text(record, at + 2, record.getShort(at));
        Image.must(at + 2 + record.getShort(at) == record.limit(), "lengths of the record at " + offset);
        int transaction = record.getInt(36) & 0xC;
        if (transaction == 4 || transaction == 12) {
            return;
        }
        String key = topic + "/" + record.getInt(12) + "/" + record.getLong(20);
        long tags = tagsCode(topic, properties, record.getLong(56));
        Entry before = records.put(key, new Entry(offset, record.limit(), tags));
        Image.must(before == null, key + " stands twice in the log");
    }

    private static long tagsCode(String topic, String properties, long stored) {
        Map<String, String> pairs = Stream.of(properties.split("\u0002")).map(pair -> pair.split("\u0001"))
            .filter(pair -> pair.length == 2).collect(Collectors.toMap(pair -> pair[0], pair -> pair[1], (a, b) -> b));
        if (topic.equals("SCHEDULE_TOPIC_XXXX") && pairs.containsKey("DELAY")) {
            return stored + LEVELS[Integer.parseInt(pairs.get("DELAY")) - 1] * 1000;
        }
        return pairs.containsKey("TAGS") ? pairs.get("TAGS").hashCode() : 0;
    }

    private void queue(String name, Path directory) throws IOException {
        long next = -1;
        for (Path file : sorted(directory)) {
            long base = Long.parseLong(file.getFileName().toString()) / 20;
            ByteBuffer bytes = map(file);
            for (long at = base; bytes.remaining() >= 20; at++) {
                Entry entry = new Entry(bytes.getLong(), bytes.getInt(), bytes.getLong());
                if (entry.size() == 0) {
                    break;
                }
                Image.must(next < 0 || at == next, name + " goes on at " + at + " instead of " + next);
                next = at + 1;
                if (entry.size() == Integer.MAX_VALUE && entry.offset() == 0) {
                    continue;
                }
                Entry expected = records.get(name + "/" + at);
                Image.must(entry.equals(expected), name + " at " + at + " is " + entry + ", the log has " + expected);
                entries++;
            }
        }
    }

    private static String text(ByteBuffer bytes, int at, int len) {
        return StandardCharsets.UTF_8.decode(bytes.slice(at, len)).toString();
    }

    private static ByteBuffer map(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path)) {
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
        }
    }

    private static List<Path> sorted(Path directory) throws IOException {
        try (Stream<Path> paths = Files.list(directory)) {
            return paths.sorted().toList();
        }
    }
}
