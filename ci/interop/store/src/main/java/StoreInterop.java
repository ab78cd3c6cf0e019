import com.alibaba.fastjson.JSONObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Store directories that RocketMQ and hotfire serve in turn: StoreInterop HOTFIRE SCRATCH. */
public class StoreInterop {
    private static final long SMALL = 256 << 10;
    private static int passed = 0;
    private static int failed = 0;
    private static String hotfire;
    private static Path scratch;
    private static String namesrv;

    interface Steps {
        void of(Scene scene) throws Exception;
    }

    interface Step {
        void run() throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        hotfire = arguments[0];
        scratch = Path.of(arguments[1]);
        int port = Node.freePort();
        namesrv = "127.0.0.1:" + port;
        Path home = Scene.home(scratch.resolve("namesrv"));
        Path conf = home.resolve("namesrv.conf");
        Files.writeString(conf, "listenPort=" + port + "\n");
        Node.namesrv(home, conf).listens(port);
        scene("clean", SMALL, StoreInterop::clean);
        scene("killed", SMALL, StoreInterop::killed);
        scene("ours", SMALL, StoreInterop::ours);
        scene("large", 1L << 30, StoreInterop::large);
        System.out.println("store: " + passed + " passed, " + failed + " failed");
        System.exit(failed == 0 ? 0 : 1);
    }

    /** A scene ends at its first failure: what follows would only say so again. */
    private static void scene(String name, long segment, Steps steps) throws Exception {
        Scene scene = new Scene(hotfire, scratch, namesrv, name, segment);
        try {
            steps.of(scene);
        } catch (Throwable ended) {
            System.out.println("        the scene " + name + " ends here");
        } finally {
            scene.end();
        }
    }

    static void check(String name, Step step) throws Exception {
        long start = System.nanoTime();
        try {
            step.run();
            passed++;
            System.out.printf("ok      %-76s %6d ms%n", name, (System.nanoTime() - start) / 1000000);
        } catch (Throwable error) {
            failed++;
            System.out.println("FAILED  " + name + ": " + error);
            if (!(error instanceof AssertionError)) {
                error.printStackTrace(System.out);
            }
            throw error;
        }
    }

    /** RocketMQ, hotfire, RocketMQ, hotfire, each stopped cleanly; then the head is cut off. */
    private static void clean(Scene scene) throws Exception {
        rocketmqWrites(scene, "clean");
        check("clean: a group selects by SQL92", scene::selectBySql);
        check("clean: RocketMQ stops", scene::stop);
        Image before = image;
        List<JSONObject> carried = new ArrayList<>();
        check("clean: RocketMQ left progress of delay levels, and a filter",
            () -> carried.addAll(scene.mustBeCarried()));
        files(scene, "clean: RocketMQ's files");
        if (System.getenv("KEEP") != null) {
            new ProcessBuilder("cp", "-a", "--sparse=always", scene.store.toString(),
                scratch.resolve("written-by-rocketmq").toString()).inheritIO().start().waitFor();
        }
        check("clean: hotfire opens them", () -> scene.serve("hotfire"));
        check("clean: hotfire shows " + before.count() + " messages, all queues equal",
            () -> scene.mustShow(before, true));
        check("clean: hotfire tells how far the delay levels are", () -> scene.mustTellDelays(carried.get(0)));
        goOn(scene, "clean: on hotfire");
        check("clean: hotfire stops", scene::stop);
        check("clean: hotfire hands delay levels and filters on as they were", () -> {
            List<JSONObject> now = scene.carried();
            Image.must(now.equals(carried), now + " instead of " + carried);
        });
        Image between = image;
        files(scene, "clean: the files of both");
        check("clean: RocketMQ opens what hotfire went on with", () -> scene.serve("rocketmq"));
        check("clean: RocketMQ shows " + between.count() + " messages, all queues equal",
            () -> scene.mustShow(between, false));
        check("clean: what was delayed comes after all, once", () -> {
            for (int tries = 0; scene.count(scene.traffic.delayed) < 10; tries++) {
                Image.must(tries < 200, "only " + scene.count(scene.traffic.delayed) + " of 10 came");
                Thread.sleep(100);
            }
            Thread.sleep(300);
            Image.must(scene.count(scene.traffic.delayed) == 10, "some came twice");
        });
        goOn(scene, "clean: on RocketMQ again");
        check("clean: RocketMQ stops again", scene::stop);
        Image last = image;
        check("clean: hotfire opens them again", () -> scene.serve("hotfire"));
        check("clean: hotfire shows " + last.count() + " messages, all queues equal",
            () -> scene.mustShow(last, true));
        goOn(scene, "clean: on hotfire again");
        check("clean: hotfire stops again", scene::stop);
        files(scene, "clean: the files of both, twice");
        headless(scene);
    }

    /** Retention took the first segments: both brokers say the same bounds. */
    private static void headless(Scene scene) throws Exception {
        try (Stream<Path> segments = Files.list(scene.store.resolve("commitlog"))) {
            Files.delete(segments.sorted().findFirst().orElseThrow());
        }
        check("headless: RocketMQ opens a log whose first segment is gone", () -> scene.serve("rocketmq"));
        check("headless: RocketMQ shows the rest", () -> image = scene.image(false));
        check("headless: RocketMQ stops", scene::stop);
        check("headless: hotfire opens it", () -> scene.serve("hotfire"));
        check("headless: hotfire shows " + image.count() + " messages, all bounds equal",
            () -> scene.mustShow(image, false));
        goOn(scene, "headless: on hotfire");
        check("headless: hotfire stops", scene::stop);
    }

    /** The same with kill -9 of either. */
    private static void killed(Scene scene) throws Exception {
        rocketmqWrites(scene, "killed");
        check("killed: RocketMQ is killed", scene::kill);
        Image before = image;
        check("killed: hotfire opens what is left", () -> scene.serve("hotfire"));
        check("killed: hotfire shows " + before.count() + " messages, all queues equal",
            () -> scene.mustShow(before, true));
        goOn(scene, "killed: on hotfire");
        check("killed: hotfire is killed, too", scene::kill);
        Image between = image;
        check("killed: RocketMQ opens what is left", () -> scene.serve("rocketmq"));
        check("killed: RocketMQ shows " + between.count() + " messages, all queues equal",
            () -> scene.mustShow(between, false));
        goOn(scene, "killed: on RocketMQ after a kill");
        check("killed: RocketMQ stops", scene::stop);
        files(scene, "killed: the files of both");
    }

    /** hotfire begins. */
    private static void ours(Scene scene) throws Exception {
        check("ours: hotfire starts on nothing", () -> scene.serve("hotfire"));
        check("ours: topics", scene::createTopics);
        check("ours: sends, batches, several segments", () -> scene.traffic.common(600));
        check("ours: two groups commit", scene::commit);
        check("ours: hotfire shows what it took", () -> image = scene.image(false));
        check("ours: hotfire stops", scene::stop);
        Image before = image;
        files(scene, "ours: hotfire's files");
        check("ours: RocketMQ opens them", () -> scene.serve("rocketmq"));
        check("ours: RocketMQ shows " + before.count() + " messages, all queues equal",
            () -> scene.mustShow(before, false));
        goOn(scene, "ours: on RocketMQ");
        check("ours: RocketMQ is killed", scene::kill);
        check("ours: hotfire opens what is left", () -> scene.serve("hotfire"));
        Image between = image;
        check("ours: hotfire shows " + between.count() + " messages, all queues equal",
            () -> scene.mustShow(between, false));
        goOn(scene, "ours: on hotfire again");
        check("ours: hotfire is killed", scene::kill);
        Image last = image;
        check("ours: RocketMQ opens what is left", () -> scene.serve("rocketmq"));
        check("ours: RocketMQ shows " + last.count() + " messages, all queues equal",
            () -> scene.mustShow(last, false));
        goOn(scene, "ours: on RocketMQ after a kill");
        check("ours: RocketMQ stops", scene::stop);
        files(scene, "ours: the files of both");
    }

    /** Segments of the default length. */
    private static void large(Scene scene) throws Exception {
        check("large: RocketMQ starts with segments of 1 GiB", () -> scene.serve("rocketmq"));
        check("large: topics", scene::createTopics);
        check("large: sends and batches", () -> scene.traffic.common(60));
        check("large: two groups commit", scene::commit);
        check("large: RocketMQ shows what it took", () -> image = scene.image(false));
        check("large: RocketMQ stops", scene::stop);
        Image before = image;
        check("large: hotfire opens it", () -> scene.serve("hotfire"));
        check("large: hotfire shows " + before.count() + " messages, all queues equal",
            () -> scene.mustShow(before, false));
        goOn(scene, "large: on hotfire");
        check("large: hotfire stops", scene::stop);
        check("large: RocketMQ opens it again", () -> scene.serve("rocketmq"));
        check("large: RocketMQ shows " + image.count() + " messages, all queues equal",
            () -> scene.mustShow(image, false));
        check("large: RocketMQ stops again", scene::stop);
    }

    /** What the last broker showed. */
    private static Image image;

    private static void rocketmqWrites(Scene scene, String name) throws Exception {
        check(name + ": RocketMQ starts on nothing", () -> scene.serve("rocketmq"));
        check(name + ": topics", scene::createTopics);
        check(name + ": RocketMQ's directory is locked", scene::mustBeLocked);
        check(name + ": sends, batches, several segments", () -> scene.traffic.common(600));
        check(name + ": delays and transactions", scene.traffic::special);
        check(name + ": one goes to the retry topic", () -> {
            scene.sendBack();
            // One second of delay, and then it stands there.
            Thread.sleep(2000);
        });
        check(name + ": two groups commit", scene::commit);
        check(name + ": RocketMQ shows what it took", () -> image = scene.image(true));
    }

    private static void files(Scene scene, String name) throws Exception {
        check(name + " hold together, byte by byte", () -> {
            Files49 files = Files49.check(scene.store);
            scene.traffic.mustBeIn(files);
            System.out.println("        " + files.records.size() + " records in " + files.segments + " segments");
        });
    }

    /** The broker that runs goes on where the last one was. */
    private static void goOn(Scene scene, String name) throws Exception {
        check(name + ", the groups' progress goes on", scene::mustGoOn);
        check(name + ", the queues' offsets go on", () -> scene.traffic.common(100));
        check(name + ", groups commit again", scene::commit);
        if (!name.startsWith("headless")) {
            check(name + ", messages by their ids", scene::view);
        }
        // RocketMQ throws its index away when the broker before was killed, and rebuilds the part of it
        // that its recovery reads (internals.md §4.4); and retention takes the oldest messages.
        boolean onlyNewest = name.startsWith("headless") || name.endsWith("after a kill");
        check(name + ", query by key", () -> scene.query(onlyNewest));
        check(name + ", everything is shown", () -> image = scene.image(false));
    }
}
