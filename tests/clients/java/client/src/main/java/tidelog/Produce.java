package tidelog;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordTooLargeException;

/** The idempotent producer, as it comes: what it sent stands in its order, at the offsets that it was told. */
public final class Produce {
    private static final int RECORDS = 2_000;

    public static void main(String[] arguments) throws Exception {
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            order(codec);
        }
        batchesThatAreTooLargeAreSplitOrRefused();
        System.out.println("done");
    }

    private static void order(String codec) throws Exception {
        String topic = Walk.createTopic("java-" + codec, 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        try (var producer = new KafkaProducer<String, String>(
                Walk.settings("compression.type", codec, "batch.size", 2_000, "linger.ms", 0))) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int n = 0; n < RECORDS; n++) {
                var record = new ProducerRecord<>(topic, 0, 1_700_000_000_000L + n, n % 7 == 0 ? null : "key " + n, "value " + n);
                record.headers().add("n", Integer.toString(n).getBytes(StandardCharsets.UTF_8));
                sent.add(producer.send(record));
            }
            for (int n = 0; n < RECORDS; n++) {
                Walk.checkEquals(sent.get(n).get().offset(), (long) n);
            }
        }
        try (var consumer = new KafkaConsumer<String, String>(Walk.settings("auto.offset.reset", "earliest"))) {
            consumer.assign(List.of(partition));
            int n = 0;
            while (n < RECORDS) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofSeconds(10))) {
                    Walk.checkEquals(record.offset(), (long) n);
                    Walk.checkEquals(record.value(), "value " + n);
                    Walk.checkEquals(record.timestamp(), 1_700_000_000_000L + n);
                    Walk.checkEquals(String.valueOf(record.key()), n % 7 == 0 ? "null" : "key " + n);
                    Walk.checkEquals(new String(record.headers().lastHeader("n").value(), StandardCharsets.UTF_8), "" + n);
                    Walk.checkEquals(record.leaderEpoch().isPresent(), true);
                    n++;
                }
            }
            Walk.checkEquals(consumer.endOffsets(List.of(partition)).get(partition), (long) RECORDS);
            Walk.checkEquals(consumer.beginningOffsets(List.of(partition)).get(partition), 0L);
            OffsetAndTimestamp found =
                    consumer.offsetsForTimes(Map.of(partition, 1_700_000_000_500L)).get(partition);
            Walk.checkEquals(found.offset(), 500L);
            Walk.checkEquals(found.timestamp(), 1_700_000_000_500L);
        }
        try (var admin = Admin.create(Map.of("bootstrap.servers", Walk.BOOTSTRAP))) {
            var latest = admin.listOffsets(Map.of(partition, OffsetSpec.maxTimestamp())).partitionResult(partition).get();
            Walk.checkEquals(latest.offset(), RECORDS - 1L);
            Walk.checkEquals(latest.timestamp(), 1_700_000_000_000L + RECORDS - 1);
        }
    }

    private static void batchesThatAreTooLargeAreSplitOrRefused() throws Exception {
        String topic = Walk.createTopic("java-large", 1);
        var settings = Walk.settings("max.request.size", 10_000_000, "batch.size", 5_000_000, "linger.ms", 500);
        try (var producer = new KafkaProducer<String, String>(settings)) {
            // One batch of more than the topic's max.message.bytes: the producer is told, and splits it.
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int n = 0; n < 30; n++) {
                sent.add(producer.send(new ProducerRecord<>(topic, "x".repeat(100_000))));
            }
            producer.flush();
            for (int n = 0; n < sent.size(); n++) {
                Walk.checkEquals(sent.get(n).get().offset(), (long) n);
            }
            // One record that is too large by itself can't be.
            try {
                producer.send(new ProducerRecord<>(topic, "x".repeat(2_000_000))).get();
                throw new AssertionError("accepted a record of 2 MB");
            } catch (ExecutionException refused) {
                Walk.check(refused.getCause() instanceof RecordTooLargeException, refused);
            }
            Walk.checkEquals(producer.send(new ProducerRecord<>(topic, "next")).get().offset(), 30L);
        }
    }
}
