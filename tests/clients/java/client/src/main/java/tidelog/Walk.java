package tidelog;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** What the walks share: a topic of their own on the broker at BOOTSTRAP, settings, and checks. */
final class Walk {
    static final String BOOTSTRAP = System.getenv("BOOTSTRAP");

    private Walk() {}

    static String createTopic(String name, int partitions) throws Exception {
        String topic = unique(name);
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", BOOTSTRAP))) {
            admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get();
        }
        return topic;
    }

    static String unique(String name) {
        return name + "-" + ProcessHandle.current().pid() + "-" + System.nanoTime();
    }

    /** Settings of a producer or a consumer of strings, and {@code more} as key, value, key, value. */
    static Map<String, Object> settings(Object... more) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", BOOTSTRAP);
        settings.put("key.serializer", StringSerializer.class);
        settings.put("value.serializer", StringSerializer.class);
        settings.put("key.deserializer", StringDeserializer.class);
        settings.put("value.deserializer", StringDeserializer.class);
        for (int i = 0; i < more.length; i += 2) {
            settings.put((String) more[i], more[i + 1]);
        }
        return settings;
    }

    static void check(boolean holds, Object what) {
        if (!holds) {
            throw new AssertionError(String.valueOf(what));
        }
    }

    static void checkEquals(Object actual, Object expected) {
        check(actual.equals(expected), "expected " + expected + " but was " + actual);
    }

    /** As {@link #checkEquals}, after a while at the latest: Kafka's broker hears of some changes a moment later. */
    static void checkBecomes(Callable<?> actual, Object expected) throws Exception {
        Object last = actual.call();
        for (int looks = 1; !expected.equals(last) && looks < 10_000; looks++) {
            last = actual.call();
        }
        check(expected.equals(last), "expected " + expected + " but was " + last);
    }
}
