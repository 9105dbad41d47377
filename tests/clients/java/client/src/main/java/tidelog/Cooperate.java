package tidelog;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * A group with the cooperative assignor: a member that joins takes over part of the partitions while the others keep
 * theirs, one that leaves gives them back, every record is handled once, commits carry their metadata.
 */
public final class Cooperate {
    private static final int PARTITIONS = 6;
    private static final Duration LIMIT = Duration.ofSeconds(60);

    /** One member, polled by the walk's only thread. */
    private static final class Member implements AutoCloseable, ConsumerRebalanceListener {
        final KafkaConsumer<String, String> consumer;
        final Set<TopicPartition> revoked = new HashSet<>();

        Member(String topic, String group, Object... more) {
            Map<String, Object> settings = Walk.settings(more);
            settings.put("group.id", group);
            settings.put("auto.offset.reset", "earliest");
            settings.put("heartbeat.interval.ms", 100);
            settings.put("partition.assignment.strategy", CooperativeStickyAssignor.class.getName());
            consumer = new KafkaConsumer<>(settings);
            consumer.subscribe(List.of(topic), this);
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {}

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            revoked.addAll(partitions);
        }

        @Override
        public void close() {
            consumer.close();
        }
    }

    private final List<Member> members = new ArrayList<>();
    private final List<String> handled = new ArrayList<>();
    private final String topic = Walk.createTopic("java-group", PARTITIONS);
    private final String group = Walk.unique("java-workers");
    private int sent = 0;

    private Cooperate() throws Exception {}

    public static void main(String[] arguments) throws Exception {
        new Cooperate().run();
        System.out.println("done");
    }

    private void run() throws Exception {
        try (var producer = new KafkaProducer<String, String>(Walk.settings())) {
            Member first = join();
            pollUntilShared(PARTITIONS);
            handleBatch(producer);

            Member second = join();
            pollUntilShared(3, 3);
            Walk.check(first.revoked.size() == 3, "the first gave up three only, not all: " + first.revoked);
            handleBatch(producer);

            first.close();
            members.remove(first);
            pollUntilShared(PARTITIONS);
            Walk.check(second.revoked.isEmpty(), "the second kept its own: " + second.revoked);
            handleBatch(producer);

            staticMemberKeepsItsPartitions(second);
        }
        Walk.checkEquals(new HashSet<>(handled).size(), sent);
        Walk.checkEquals(handled.size(), sent);
        commitsCarryMetadata();
    }

    /** A static member that closes and returns within its session causes no rebalance. */
    private void staticMemberKeepsItsPartitions(Member other) {
        Member fixed = join("group.instance.id", "fixed");
        pollUntilShared(3, 3);
        Set<TopicPartition> kept = new HashSet<>(fixed.consumer.assignment());
        other.revoked.clear();
        fixed.close();
        members.remove(fixed);
        Member back = join("group.instance.id", "fixed");
        pollUntilShared(3, 3);
        Walk.checkEquals(new HashSet<>(back.consumer.assignment()), kept);
        Walk.check(other.revoked.isEmpty(), "no rebalance: " + other.revoked);
    }

    private void commitsCarryMetadata() throws Exception {
        var partition = new TopicPartition(topic, 0);
        Member one = members.get(0);
        TopicPartition own = one.consumer.assignment().iterator().next();
        one.consumer.commitSync(Map.of(own, new OffsetAndMetadata(3, "three done")));
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", Walk.BOOTSTRAP))) {
            var description = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
            Walk.checkEquals(description.groupState().toString(), "Stable");
            Walk.checkEquals(description.partitionAssignor(), "cooperative-sticky");
            Walk.checkEquals(description.members().size(), 2);
            var committed = admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
            Walk.checkEquals(committed.get(own).offset(), 3L);
            Walk.checkEquals(committed.get(own).metadata(), "three done");
            Walk.check(committed.containsKey(partition), committed);
        }
        for (Member member : members) {
            member.close();
        }
    }

    private Member join(Object... more) {
        Member member = new Member(topic, group, more);
        members.add(member);
        return member;
    }

    private void handleBatch(KafkaProducer<String, String> producer) {
        for (int n = 0; n < 60; n++, sent++) {
            producer.send(new ProducerRecord<>(topic, sent % PARTITIONS, null, "value " + sent));
        }
        producer.flush();
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (handled.size() < sent) {
            Walk.check(System.nanoTime() < deadline, "handled " + handled.size() + " of " + sent);
            poll();
        }
    }

    private void poll() {
        for (Member member : members) {
            member.consumer.poll(Duration.ofMillis(50)).forEach(record -> handled.add(record.value()));
        }
    }

    /** Polls until the members' shares have these sizes, and together are all partitions. */
    private void pollUntilShared(int... sizes) {
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (true) {
            poll();
            List<Integer> shares = members.stream().map(member -> member.consumer.assignment().size()).toList();
            Set<Integer> all = new TreeSet<>();
            members.forEach(member -> member.consumer.assignment().forEach(partition -> all.add(partition.partition())));
            List<Integer> wanted = java.util.Arrays.stream(sizes).boxed().toList();
            if (shares.equals(wanted) && all.size() == PARTITIONS) {
                return;
            }
            Walk.check(System.nanoTime() < deadline, "shares are " + shares + ", not " + wanted);
        }
    }
}
