package tidelog;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** The members of a group, polled in turn by the walk's only thread, and what they have handled. */
final class Crowd {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    final List<String> topics;
    final String group;
    final List<Member> members = new ArrayList<>();
    final List<String> handled = new ArrayList<>();
    private final int partitions;
    private int sent = 0;

    /** One member; {@code revoked} is what it had to give up. */
    static final class Member implements ConsumerRebalanceListener {
        final KafkaConsumer<String, String> consumer;
        final Set<TopicPartition> revoked = new HashSet<>();

        private Member(Map<String, Object> settings, List<String> topics) {
            consumer = new KafkaConsumer<>(settings);
            consumer.subscribe(topics, this);
        }

        Set<TopicPartition> owned() {
            return new HashSet<>(consumer.assignment());
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> assigned) {}

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            revoked.addAll(partitions);
        }
    }

    /** No members yet, and as many topics of so many partitions. */
    Crowd(String name, int topics, int partitions) throws Exception {
        List<String> created = new ArrayList<>();
        for (int n = 0; n < topics; n++) {
            created.add(Walk.createTopic(name, partitions));
        }
        this.topics = List.copyOf(created);
        this.partitions = partitions;
        group = Walk.unique(name + "-members");
    }

    /** One more member, which takes part from the next polls on. */
    @SafeVarargs
    final Member join(Map<String, Object> more, Class<? extends ConsumerPartitionAssignor>... assignors) {
        Map<String, Object> settings = Walk.settings();
        settings.put("group.id", group);
        settings.put("auto.offset.reset", "earliest");
        settings.put("heartbeat.interval.ms", 100);
        settings.put("partition.assignment.strategy", Arrays.stream(assignors).map(Class::getName).toList());
        settings.putAll(more);
        Member member = new Member(settings, topics);
        members.add(member);
        return member;
    }

    void leave(Member member) {
        member.consumer.close();
        members.remove(member);
    }

    void leaveAll() {
        List.copyOf(members).forEach(this::leave);
    }

    /** Sends records to all partitions and has them handled, each once. */
    void handleBatch(KafkaProducer<String, String> producer) {
        for (int n = 0; n < 60; n++, sent++) {
            String topic = topics.get(sent % topics.size());
            producer.send(new ProducerRecord<>(topic, sent / topics.size() % partitions, null, "value " + sent));
        }
        producer.flush();
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (handled.size() < sent) {
            Walk.check(System.nanoTime() < deadline, "handled " + handled.size() + " of " + sent);
            poll();
        }
        Walk.checkEquals(new HashSet<>(handled).size(), sent);
        Walk.checkEquals(handled.size(), sent);
    }

    /** Polls until the members' shares have these sizes, and together are all partitions. */
    void pollUntilShared(int... sizes) {
        List<Integer> wanted = Arrays.stream(sizes).boxed().toList();
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (true) {
            poll();
            List<Integer> shares = members.stream().map(member -> member.owned().size()).toList();
            Set<String> all = new TreeSet<>();
            members.forEach(member -> member.owned().forEach(partition -> all.add(partition.toString())));
            if (shares.equals(wanted) && all.size() == partitions * topics.size()) {
                return;
            }
            Walk.check(System.nanoTime() < deadline, "shares are " + shares + ", not " + wanted);
        }
    }

    private void poll() {
        for (Member member : members) {
            member.consumer.poll(Duration.ofMillis(50)).forEach(record -> handled.add(record.value()));
        }
    }
}
