package tidelog;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * An idempotent producer and a group of two, at work on a topic while brokers come and go. They print what they do and
 * see, a line each; the line "flush" on standard input ends the producer, the input's end ends the group.
 */
final class UnderLoad {
    private static final int UNACKNOWLEDGED = 200;

    private static volatile boolean producing = true;
    private static volatile boolean consuming = true;

    private UnderLoad() {}

    public static void main(String[] arguments) throws Exception {
        String topic = arguments[0];
        int partitions = Integer.parseInt(arguments[1]);
        List<Thread> consumers =
                List.of(start(() -> consume("consumer-1", topic)), start(() -> consume("consumer-2", topic)));
        Thread producer = start(() -> produce(topic, partitions));
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
        while (commands.readLine() != null) {
            producing = false;
            producer.join();
            System.out.println("flushed");
        }
        consuming = false;
        for (Thread consumer : consumers) {
            consumer.join();
        }
        System.out.println("end");
    }

    private static void produce(String topic, int partitions) {
        // As patient as can be in all, but soon back from a broker that does not answer.
        var settings = Walk.settings(
                "delivery.timeout.ms", Integer.MAX_VALUE, "request.timeout.ms", 3000, "max.block.ms", 60_000, "batch.size", 400,
                "linger.ms", 1);
        Semaphore room = new Semaphore(UNACKNOWLEDGED);
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings)) {
            for (long value = 0; producing; value++) {
                int partition = (int) (value % partitions);
                String text = Long.toString(value);
                room.acquireUninterruptibly();
                System.out.println("sent " + text + " " + partition);
                producer.send(new ProducerRecord<>(topic, partition, null, text), (at, failure) -> {
                    room.release();
                    System.out.println(failure != null
                            ? "failed " + text + " " + failure
                            : "acknowledged " + text + " " + partition + " " + at.offset());
                });
                if (partition == 0) {
                    LockSupport.parkNanos(1_000_000); // what it prints is read and kept
                }
            }
        }
    }

    private static Thread start(Runnable work) {
        Thread thread = new Thread(work);
        thread.start();
        return thread;
    }

    private static void consume(String name, String topic) {
        var settings = Walk.settings(
                "group.id", topic, "auto.offset.reset", "earliest", "auto.commit.interval.ms", 100, "session.timeout.ms", 6000,
                "heartbeat.interval.ms", 200, "request.timeout.ms", 5000, "default.api.timeout.ms", 20_000,
                "partition.assignment.strategy", CooperativeStickyAssignor.class.getName());
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(settings)) {
            consumer.subscribe(List.of(topic), new ConsumerRebalanceListener() {
                @Override
                public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                    System.out.println("repositioned " + name);
                }

                @Override
                public void onPartitionsRevoked(Collection<TopicPartition> partitions) {}
            });
            while (consuming) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(50))) {
                    System.out.println("polled " + record.value() + " " + record.partition() + " " + record.offset() + " " + name);
                }
            }
        }
    }
}
