import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A server in a process of its own: RocketMQ's name server, its broker, or hotfire's broker. */
final class Node {
    static final int START_SECONDS_MAX = 60;
    static final int STOP_SECONDS_MAX = 60;
    private static final List<Process> ALL = new ArrayList<>();

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            synchronized (ALL) {
                ALL.forEach(Process::destroyForcibly);
            }
        }));
    }

    final String name;
    private final Process process;
    private final Path log;

    private Node(String name, Process process, Path log) {
        this.name = name;
        this.process = process;
        this.log = log;
    }

    /** RocketMQ's name server on the port that CONF names. */
    static Node namesrv(Path home, Path conf) throws Exception {
        return start("namesrv", java(home, "namesrv.NamesrvStartup", conf), home);
    }

    /** RocketMQ's broker as CONF has it. */
    static Node rocketmq(Path home, Path conf) throws Exception {
        return start("rocketmq", java(home, "broker.BrokerStartup", conf), home);
    }

    /** hotfire's broker as the same CONF has it. */
    static Node hotfire(String binary, Path home, Path conf) throws Exception {
        return start("hotfire", List.of(binary, "broker", "-c", conf.toString()), home);
    }

    private static List<String> java(Path home, String main, Path conf) {
        List<String> command = new ArrayList<>(List.of("java", "-Xms256m", "-Xmx512m",
            "-XX:MaxDirectMemorySize=512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
        // The store unmaps its files by reflection (internals.md §13).
        for (String open : List.of("java.nio", "sun.nio.ch", "jdk.internal.ref", "java.lang", "java.util")) {
            command.add("--add-opens=java.base/" + open + "=ALL-UNNAMED");
        }
        command.add("--add-exports=java.base/sun.nio.ch=ALL-UNNAMED");
        command.add("--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED");
        // A disk that is fuller than RocketMQ likes is no subject of these tests.
        command.add("-Drocketmq.broker.diskSpaceWarningLevelRatio=0.99");
        command.add("-Drocketmq.broker.diskSpaceCleanForciblyRatio=0.99");
        command.add("-Duser.home=" + home);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"),
            "org.apache.rocketmq." + main, "-c", conf.toString()));
        return command;
    }

    private static Node start(String name, List<String> command, Path home) throws IOException {
        Path log = home.resolve(name + ".log");
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        builder.environment().put("ROCKETMQ_HOME", home.toString());
        Process process = builder.start();
        synchronized (ALL) {
            ALL.add(process);
        }
        return new Node(name, process, log);
    }

    /** Waits until it takes connections. */
    void listens(int port) throws Exception {
        for (int tries = 0; tries < START_SECONDS_MAX * 10; tries++) {
            if (!process.isAlive()) {
                break;
            }
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress("127.0.0.1", port), 100);
                return;
            } catch (IOException notYet) {
                Thread.sleep(100);
            }
        }
        throw new AssertionError(name + " does not listen on " + port + ":\n" + words());
    }

    /** Whether it ends by itself within the time; that is what a refused directory does. */
    boolean ends() throws Exception {
        return process.waitFor(START_SECONDS_MAX, TimeUnit.SECONDS);
    }

    /** Stops it cleanly, with SIGTERM. */
    void stop() throws Exception {
        process.destroy();
        if (!process.waitFor(STOP_SECONDS_MAX, TimeUnit.SECONDS)) {
            throw new AssertionError(name + " does not stop:\n" + words());
        }
    }

    /** Ends it with SIGKILL. */
    void kill() throws Exception {
        process.destroyForcibly().waitFor();
    }

    /** Its last words. */
    String words() throws IOException {
        List<String> lines = everything();
        return String.join("\n", lines.subList(Math.max(0, lines.size() - 15), lines.size()));
    }

    /** All that it said. */
    List<String> everything() throws IOException {
        return Files.readAllLines(log);
    }

    /** A port with its neighbours: RocketMQ's broker takes P-2, P and P+1. */
    static int freePort() throws IOException {
        for (;;) {
            int port = 20000 + (int) (Math.random() * 12000);
            try (ServerSocket fast = new ServerSocket(port - 2); ServerSocket main = new ServerSocket(port);
                ServerSocket ha = new ServerSocket(port + 1)) {
                return port;
            } catch (IOException taken) {
                continue;
            }
        }
    }
}
