package tidelog;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.consumer.RoundRobinAssignor;
import org.apache.kafka.clients.consumer.StickyAssignor;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;

/**
 * Groups with the assignors that take all partitions back first: members come and go, each share is the assignor's,
 * and every record is handled once. Two topics of three partitions tell the assignors apart.
 */
public final class Assign {
    public static void main(String[] arguments) throws Exception {
        try (var producer = new KafkaProducer<String, String>(Walk.settings())) {
            // By range one member gets two partitions of each topic, and the other one.
            comeAndGo(producer, RangeAssignor.class, "range", 4, 2);
            comeAndGo(producer, RoundRobinAssignor.class, "roundrobin", 3, 3);
            comeAndGo(producer, StickyAssignor.class, "sticky", 3, 3);
            stickyMembersKeepWhatTheyCan(producer);
            assignorsAreExchangedWhileMembersWork(producer);
        }
        System.out.println("done");
    }

    private static void comeAndGo(
            KafkaProducer<String, String> producer,
            Class<? extends ConsumerPartitionAssignor> assignor,
            String protocol,
            int more,
            int less)
            throws Exception {
        var crowd = new Crowd("java-" + protocol, 2, 3);
        // Shares go by the members' ids, which begin with the client's.
        Crowd.Member first = crowd.join(Map.of("client.id", "a"), assignor);
        crowd.pollUntilShared(6);
        crowd.handleBatch(producer);
        Walk.checkEquals(protocolOf(crowd), protocol);

        crowd.join(Map.of("client.id", "b"), assignor);
        crowd.pollUntilShared(more, less);
        crowd.handleBatch(producer);
        crowd.join(Map.of("client.id", "c"), assignor);
        crowd.pollUntilShared(2, 2, 2);
        crowd.handleBatch(producer);

        crowd.leave(first);
        crowd.pollUntilShared(more, less);
        crowd.handleBatch(producer);
        crowd.leaveAll();
    }

    private static void stickyMembersKeepWhatTheyCan(KafkaProducer<String, String> producer) throws Exception {
        var crowd = new Crowd("java-kept", 1, 4);
        Crowd.Member first = crowd.join(Map.of(), StickyAssignor.class);
        crowd.pollUntilShared(4);
        Crowd.Member second = crowd.join(Map.of(), StickyAssignor.class);
        crowd.pollUntilShared(2, 2);
        Set<TopicPartition> ofFirst = first.owned();
        Crowd.Member third = crowd.join(Map.of(), StickyAssignor.class);
        Crowd.Member fourth = crowd.join(Map.of(), StickyAssignor.class);
        crowd.pollUntilShared(1, 1, 1, 1);
        Walk.check(ofFirst.containsAll(first.owned()), first.owned() + " is not of " + ofFirst);
        Set<TopicPartition> kept = new HashSet<>(first.owned());
        crowd.leave(third);
        crowd.leave(fourth);
        crowd.pollUntilShared(2, 2);
        Walk.check(first.owned().containsAll(kept), kept + " is not kept in " + first.owned());
        Walk.check(!second.owned().isEmpty(), second.owned());
        crowd.handleBatch(producer);
        crowd.leaveAll();
    }

    /** The way from range to cooperative sticky: first both are offered, then range no more. */
    private static void assignorsAreExchangedWhileMembersWork(KafkaProducer<String, String> producer) throws Exception {
        var crowd = new Crowd("java-exchanged", 1, 4);
        Crowd.Member old = crowd.join(Map.of(), RangeAssignor.class);
        Crowd.Member both = crowd.join(Map.of(), CooperativeStickyAssignor.class, RangeAssignor.class);
        crowd.pollUntilShared(2, 2);
        Walk.checkEquals(protocolOf(crowd), "range");
        crowd.handleBatch(producer);

        crowd.leave(old);
        crowd.join(Map.of(), CooperativeStickyAssignor.class, RangeAssignor.class);
        crowd.pollUntilShared(2, 2);
        Walk.checkEquals(protocolOf(crowd), "cooperative-sticky");
        crowd.leave(both);
        crowd.join(Map.of(), CooperativeStickyAssignor.class);
        crowd.pollUntilShared(2, 2);
        crowd.handleBatch(producer);
        crowd.leaveAll();
    }

    private static String protocolOf(Crowd crowd) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", Walk.BOOTSTRAP))) {
            return admin.describeConsumerGroups(List.of(crowd.group)).all().get().get(crowd.group).partitionAssignor();
        }
    }
}
