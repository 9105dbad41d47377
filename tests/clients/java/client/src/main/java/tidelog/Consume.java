package tidelog;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.NoOffsetForPartitionException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;

/** The consumer: where it starts, seeks and pauses, what it commits, and topics that it finds by a pattern. */
public final class Consume {
    private static final Duration A_WHILE = Duration.ofSeconds(30);

    public static void main(String[] arguments) throws Exception {
        try (var producer = new KafkaProducer<String, String>(Walk.settings())) {
            tombstonesAndRecordsWithoutAnything(producer);
            positions(producer);
            startsWhereItIsTold(producer);
            commits(producer);
            topicsAreFoundByPattern(producer);
        }
        System.out.println("done");
    }

    private static void tombstonesAndRecordsWithoutAnything(KafkaProducer<String, String> producer) throws Exception {
        String topic = Walk.createTopic("java-null", 1);
        producer.send(new ProducerRecord<>(topic, "key", null)).get();
        producer.send(new ProducerRecord<>(topic, null, null)).get();
        producer.send(new ProducerRecord<>(topic, "", "")).get();
        try (var consumer = consumer(topic, 1, "auto.offset.reset", "earliest")) {
            List<ConsumerRecord<String, String>> records = take(consumer, 3);
            Walk.check(records.get(0).value() == null && records.get(0).key().equals("key"), records);
            Walk.check(records.get(1).value() == null && records.get(1).key() == null, records);
            Walk.check(records.get(2).value().isEmpty() && records.get(2).key().isEmpty(), records);
        }
    }

    private static void positions(KafkaProducer<String, String> producer) throws Exception {
        String topic = Walk.createTopic("java-positions", 2);
        var first = new TopicPartition(topic, 0);
        var second = new TopicPartition(topic, 1);
        for (int n = 0; n < 100; n++) {
            producer.send(new ProducerRecord<>(topic, n % 2, null, "" + n / 2));
        }
        producer.flush();
        try (var consumer = consumer(topic, 2, "auto.offset.reset", "earliest", "max.poll.records", 7)) {
            consumer.seek(first, 45);
            consumer.pause(Set.of(second));
            Walk.checkEquals(values(take(consumer, 5)), List.of("45", "46", "47", "48", "49"));
            Walk.checkEquals(consumer.position(first), 50L);
            Walk.checkEquals(consumer.currentLag(first).getAsLong(), 0L);
            consumer.resume(Set.of(second));
            Walk.checkEquals(consumer.paused(), Set.of());
            Walk.check(take(consumer, 50).stream().allMatch(record -> record.partition() == 1), "the second partition");

            consumer.seekToBeginning(Set.of(second));
            Walk.checkEquals(consumer.position(second), 0L);
            Walk.checkEquals(values(take(consumer, 50)).get(49), "49");
            consumer.seek(second, new OffsetAndMetadata(48, ""));
            consumer.seekToEnd(Set.of(first));
            Walk.checkEquals(values(take(consumer, 2)), List.of("48", "49"));
            Walk.checkEquals(consumer.partitionsFor(topic).size(), 2);
            Walk.checkEquals(consumer.listTopics().get(topic).size(), 2);

            consumer.wakeup();
            failsWith(WakeupException.class, () -> consumer.poll(A_WHILE));
        }
    }

    private static void startsWhereItIsTold(KafkaProducer<String, String> producer) throws Exception {
        String topic = Walk.createTopic("java-starts", 1);
        var partition = new TopicPartition(topic, 0);
        long now = System.currentTimeMillis();
        for (int hours = 5; hours >= 0; hours--) {
            producer.send(new ProducerRecord<>(topic, 0, now - hours * 3_600_000L, null, hours + " hours ago")).get();
        }
        // KIP-1106
        try (var consumer = consumer(topic, 1, "auto.offset.reset", "by_duration:PT2H30M")) {
            Walk.checkEquals(values(take(consumer, 3)).get(0), "2 hours ago");
        }
        try (var consumer = consumer(topic, 1, "auto.offset.reset", "latest", "isolation.level", "read_committed")) {
            Walk.checkEquals(consumer.position(partition), 6L);
            producer.send(new ProducerRecord<>(topic, "next")).get();
            Walk.checkEquals(values(take(consumer, 1)), List.of("next"));
        }
        try (var consumer = consumer(topic, 1, "auto.offset.reset", "none", "group.id", Walk.unique("java-none"))) {
            failsWith(NoOffsetForPartitionException.class, () -> consumer.poll(A_WHILE));
            consumer.seek(partition, 1_000);
            failsWith(OffsetOutOfRangeException.class, () -> consumer.poll(A_WHILE));
        }
    }

    private static void commits(KafkaProducer<String, String> producer) throws Exception {
        String topic = Walk.createTopic("java-commits", 1);
        String group = Walk.unique("java-committers");
        var partition = new TopicPartition(topic, 0);
        for (int n = 0; n < 20; n++) {
            producer.send(new ProducerRecord<>(topic, "" + n));
        }
        producer.flush();
        Object[] settings = {"group.id", group, "auto.offset.reset", "earliest", "enable.auto.commit", false};
        try (var consumer = consumer(topic, 1, settings)) {
            take(consumer, 20);
            var committed = new CompletableFuture<Map<TopicPartition, OffsetAndMetadata>>();
            consumer.commitAsync(Map.of(partition, new OffsetAndMetadata(4, "four")), (offsets, failure) -> {
                if (failure == null) {
                    committed.complete(offsets);
                } else {
                    committed.completeExceptionally(failure);
                }
            });
            // Callbacks run while it polls or commits.
            consumer.commitSync(Map.of(partition, new OffsetAndMetadata(9, "nine")));
            Walk.checkEquals(committed.get().get(partition).offset(), 4L);
            Walk.checkEquals(consumer.committed(Set.of(partition)).get(partition).metadata(), "nine");
        }
        try (var consumer = consumer(topic, 1, settings)) {
            Walk.checkEquals(values(take(consumer, 11)).get(0), "9");
            consumer.commitSync();
            Walk.checkEquals(consumer.committed(Set.of(partition)).get(partition).offset(), 20L);
        }
    }

    private static void topicsAreFoundByPattern(KafkaProducer<String, String> producer) throws Exception {
        String name = Walk.unique("java-pattern");
        var settings = Walk.settings("group.id", name, "auto.offset.reset", "earliest");
        settings.putAll(Map.of("metadata.max.age.ms", 200, "heartbeat.interval.ms", 100));
        try (var consumer = new KafkaConsumer<String, String>(settings)) {
            consumer.subscribe(Pattern.compile(name + "-.*"));
            List<String> topics = new ArrayList<>();
            for (int n = 0; n < 2; n++) {
                topics.add(Walk.createTopic(name + "-" + n, 1));
                producer.send(new ProducerRecord<>(topics.get(n), "of " + n)).get();
                Walk.checkEquals(values(take(consumer, 1)), List.of("of " + n));
            }
            Walk.checkEquals(consumer.subscription(), Set.copyOf(topics));
        }
    }

    /** A consumer that owns all of a topic's partitions. */
    private static KafkaConsumer<String, String> consumer(String topic, int partitions, Object... more) {
        var consumer = new KafkaConsumer<String, String>(Walk.settings(more));
        List<TopicPartition> all = new ArrayList<>();
        for (int partition = 0; partition < partitions; partition++) {
            all.add(new TopicPartition(topic, partition));
        }
        consumer.assign(all);
        return consumer;
    }

    private static List<ConsumerRecord<String, String>> take(KafkaConsumer<String, String> consumer, int count) {
        List<ConsumerRecord<String, String>> taken = new ArrayList<>();
        long deadline = System.nanoTime() + A_WHILE.toNanos();
        while (taken.size() < count) {
            Walk.check(System.nanoTime() < deadline, taken.size() + " of " + count + " records");
            consumer.poll(Duration.ofMillis(100)).forEach(taken::add);
        }
        Walk.checkEquals(taken.size(), count);
        return taken;
    }

    private static List<String> values(List<ConsumerRecord<String, String>> records) {
        return records.stream().map(ConsumerRecord::value).toList();
    }

    private static void failsWith(Class<? extends Exception> expected, Runnable call) {
        try {
            call.run();
        } catch (RuntimeException thrown) {
            Walk.check(expected.isInstance(thrown), thrown);
            return;
        }
        throw new AssertionError("no " + expected.getSimpleName());
    }
}
