package tidelog;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;

/**
 * A group with the cooperative assignor: a member that joins takes over part of the partitions while the others keep
 * theirs, one that leaves gives them back, every record is handled once, commits carry their metadata.
 */
public final class Cooperate {
    private static final int PARTITIONS = 6;

    private final Crowd crowd = new Crowd("java-group", 1, PARTITIONS);

    private Cooperate() throws Exception {}

    public static void main(String[] arguments) throws Exception {
        new Cooperate().run();
        System.out.println("done");
    }

    private void run() throws Exception {
        try (var producer = new KafkaProducer<String, String>(Walk.settings())) {
            Crowd.Member first = join(Map.of());
            crowd.pollUntilShared(PARTITIONS);
            crowd.handleBatch(producer);

            Crowd.Member second = join(Map.of());
            crowd.pollUntilShared(3, 3);
            Walk.check(first.revoked.size() == 3, "the first gave up three only, not all: " + first.revoked);
            crowd.handleBatch(producer);

            crowd.leave(first);
            crowd.pollUntilShared(PARTITIONS);
            Walk.check(second.revoked.isEmpty(), "the second kept its own: " + second.revoked);
            crowd.handleBatch(producer);

            staticMemberKeepsItsPartitions(second);
        }
        commitsCarryMetadata();
    }

    /** A static member that closes and returns within its session causes no rebalance. */
    private void staticMemberKeepsItsPartitions(Crowd.Member other) {
        Crowd.Member fixed = join(Map.of("group.instance.id", "fixed"));
        crowd.pollUntilShared(3, 3);
        Set<TopicPartition> kept = fixed.owned();
        other.revoked.clear();
        crowd.leave(fixed);
        Crowd.Member back = join(Map.of("group.instance.id", "fixed"));
        crowd.pollUntilShared(3, 3);
        Walk.checkEquals(back.owned(), kept);
        Walk.check(other.revoked.isEmpty(), "no rebalance: " + other.revoked);
    }

    private void commitsCarryMetadata() throws Exception {
        Crowd.Member one = crowd.members.get(0);
        TopicPartition own = one.owned().iterator().next();
        one.consumer.commitSync(Map.of(own, new OffsetAndMetadata(3, "three done")));
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", Walk.BOOTSTRAP))) {
            var description = admin.describeConsumerGroups(List.of(crowd.group)).all().get().get(crowd.group);
            Walk.checkEquals(description.groupState().toString(), "Stable");
            Walk.checkEquals(description.partitionAssignor(), "cooperative-sticky");
            Walk.checkEquals(description.members().size(), 2);
            var committed = admin.listConsumerGroupOffsets(crowd.group).partitionsToOffsetAndMetadata().get();
            Walk.checkEquals(committed.get(own).offset(), 3L);
            Walk.checkEquals(committed.get(own).metadata(), "three done");
            Walk.check(committed.containsKey(new TopicPartition(crowd.topics.get(0), 0)), committed);
        }
        crowd.leaveAll();
    }

    private Crowd.Member join(Map<String, Object> more) {
        return crowd.join(more, CooperativeStickyAssignor.class);
    }
}
