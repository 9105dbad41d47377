// Prints the golden bytes of records.txt: one line a record, its name and its bytes in hex, made by Kafka's own classes.
//
// With the jars of org.apache.kafka:kafka-group-coordinator:4.4.0 and its dependencies in lib/ (any Maven project that
// depends on it and runs `mvn dependency:copy-dependencies -DoutputDirectory=lib`):
//
//     java -cp 'lib/*' Golden.java > records.txt

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.protocol.types.RawTaggedField;
import org.apache.kafka.coordinator.group.generated.*;

public class Golden {
    public static void main(String[] args) {
        // A key's leading version is its kind.
        key("key-0-offset", 0, new LegacyOffsetCommitKey().setGroup("orders").setTopic("in.voices").setPartition(7));
        key("key-1-offset", 1, new OffsetCommitKey().setGroup("orders").setTopic("in.voices").setPartition(7));
        key("key-2-group", 2, new GroupMetadataKey().setGroup("größe"));
        key("key-3-consumer-group", 3, new ConsumerGroupMetadataKey().setGroupId("orders"));

        for (short version = 0; version <= 4; version++) {
            value("offset-" + version, version, offset());
            value("group-" + version, version, group());
            value("empty-group-" + version, version, emptyGroup());
        }
        value("offset-4-topic-id", (short) 4, offset().setTopicId(new Uuid(0x0102030405060708L, 0x090a0b0c0d0e0f10L)));
        OffsetCommitValue later = offset().setTopicId(new Uuid(1, 2));
        later.unknownTaggedFields().add(new RawTaggedField(9, new byte[] {1, 2, 3}));
        value("offset-4-later-field", (short) 4, later);
        GroupMetadataValue laterGroup = group();
        laterGroup.unknownTaggedFields().add(new RawTaggedField(5, new byte[] {42}));
        laterGroup.members().get(0).unknownTaggedFields().add(new RawTaggedField(6, new byte[0]));
        value("group-4-later-field", (short) 4, laterGroup);

        Subscription subscription = new Subscription(
            List.of("in.voices", "out"), ByteBuffer.wrap(new byte[] {9}), List.of(new TopicPartition("out", 3)));
        for (short version = 0; version <= 3; version++) {
            line("subscription-" + version, ConsumerProtocol.serializeSubscription(subscription, version));
        }
    }

    static OffsetCommitValue offset() {
        return new OffsetCommitValue().setOffset(4_000_000_000L).setLeaderEpoch(12).setMetadata("so far ✓")
            .setCommitTimestamp(1_700_000_000_123L).setExpireTimestamp(1_700_000_600_000L);
    }

    static GroupMetadataValue group() {
        return new GroupMetadataValue().setProtocolType("consumer").setGeneration(5).setProtocol("range").setLeader("a-1")
            .setCurrentStateTimestamp(1_700_000_000_456L)
            .setMembers(List.of(
                member("a-1", null, new byte[] {1, 2}, new byte[] {3}),
                member("b-2", "instance", new byte[0], new byte[300])));
    }

    static GroupMetadataValue.MemberMetadata member(String id, String instance, byte[] subscription, byte[] assignment) {
        return new GroupMetadataValue.MemberMetadata().setMemberId(id).setGroupInstanceId(instance).setClientId("app")
            .setClientHost("/127.0.0.1").setRebalanceTimeout(300_000).setSessionTimeout(45_000)
            .setSubscription(subscription).setAssignment(assignment);
    }

    static GroupMetadataValue emptyGroup() {
        return new GroupMetadataValue().setProtocolType("").setGeneration(0).setProtocol(null).setLeader(null)
            .setCurrentStateTimestamp(1_700_000_000_456L).setMembers(List.of());
    }

    static void key(String name, int kind, Message key) {
        // Since Kafka 4.1 the keys' own schema version is always 0 and the kind is written in its place.
        ByteBuffer body = MessageUtil.toByteBufferAccessor(key, (short) 0).buffer();
        ByteBuffer all = ByteBuffer.allocate(2 + body.remaining());
        line(name, all.putShort((short) kind).put(body).flip());
    }

    static void value(String name, short version, Message value) {
        line(name, MessageUtil.toVersionPrefixedByteBuffer(version, value));
    }

    static void line(String name, ByteBuffer bytes) {
        byte[] copy = new byte[bytes.remaining()];
        bytes.duplicate().get(copy);
        String text = name + " " + HexFormat.of().formatHex(copy) + "\n";
        System.out.write(text.getBytes(StandardCharsets.UTF_8), 0, text.length());
        System.out.flush();
    }
}
