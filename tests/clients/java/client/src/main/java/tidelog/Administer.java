package tidelog;

import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.CreatePartitionsOptions;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.DescribeClusterOptions;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.clients.admin.FeatureUpdate;
import org.apache.kafka.clients.admin.ListConfigResourcesOptions;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.MemberToRemove;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.admin.UpdateFeaturesOptions;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionReplica;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.ElectionNotNeededException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidReplicaAssignmentException;
import org.apache.kafka.common.errors.InvalidUpdateVersionException;
import org.apache.kafka.common.errors.LogDirNotFoundException;
import org.apache.kafka.common.errors.NoReassignmentInProgressException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownMemberIdException;
import org.apache.kafka.common.errors.UnknownTopicIdException;

/** Calls of the admin client that none of Kafka's tools makes. */
public final class Administer {
    private final Admin admin = Admin.create(Map.of("bootstrap.servers", Walk.BOOTSTRAP));

    public static void main(String[] arguments) throws Exception {
        var walk = new Administer();
        try (walk.admin) {
            walk.topicsAreMadeOnTrialAndDeletedById();
            walk.partitionsAreAddedOnTrial();
            walk.listsInSettingsAreAddedToAndTakenFrom();
            walk.membersAreRemoved();
            walk.offsetsOfManyGroupsAreListed();
            walk.offsetsAreListedWithEachIsolation();
            walk.replicasStayWhereTheyAre();
            walk.theClusterIsDescribed();
        }
        System.out.println("done");
    }

    private void topicsAreMadeOnTrialAndDeletedById() throws Exception {
        var wanted = new NewTopic(Walk.unique("java-trial"), Optional.of(2), Optional.empty())
                .configs(Map.of("retention.ms", "5000"));
        var trial = admin.createTopics(List.of(wanted), new CreateTopicsOptions().validateOnly(true));
        trial.all().get();
        Walk.check(!admin.listTopics().names().get().contains(wanted.name()), "only on trial");

        var made = admin.createTopics(List.of(wanted));
        Uuid id = made.topicId(wanted.name()).get();
        Walk.checkEquals(made.numPartitions(wanted.name()).get(), 2);
        Walk.checkEquals(made.replicationFactor(wanted.name()).get(), 1);
        Walk.checkEquals(made.config(wanted.name()).get().get("retention.ms").value(), "5000");
        failsWith(TopicExistsException.class, admin.createTopics(List.of(wanted)).all());
        var assigned = new NewTopic(Walk.unique("java-assigned"), Map.of(0, List.of(1), 1, List.of(1)));
        admin.createTopics(List.of(assigned)).all().get();
        var elsewhere = new NewTopic(Walk.unique("java-elsewhere"), Map.of(0, List.of(77)));
        failsWith(InvalidReplicaAssignmentException.class, admin.createTopics(List.of(elsewhere)).all());

        var byId = admin.describeTopics(TopicCollection.ofTopicIds(List.of(id))).allTopicIds().get().get(id);
        Walk.checkEquals(byId.name(), wanted.name());
        Walk.checkEquals(byId.partitions().size(), 2);
        Walk.checkEquals(byId.partitions().get(1).leader().id(), 1);
        admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).all().get();
        failsWith(UnknownTopicIdException.class, admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).all());
    }

    private void partitionsAreAddedOnTrial() throws Exception {
        String topic = Walk.createTopic("java-wider", 1);
        var trial = new CreatePartitionsOptions().validateOnly(true);
        admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(3)), trial).all().get();
        Walk.checkEquals(partitions(topic), 1);
        admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(3, List.of(List.of(1), List.of(1))))).all().get();
        Walk.checkBecomes(() -> partitions(topic), 3);
        failsWith(
                InvalidPartitionsException.class,
                admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(2))).all());
    }

    private int partitions(String topic) throws Exception {
        return admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size();
    }

    private void listsInSettingsAreAddedToAndTakenFrom() throws Exception {
        var topic = new ConfigResource(ConfigResource.Type.TOPIC, Walk.createTopic("java-lists", 1));
        change(topic, OpType.APPEND, "cleanup.policy", "compact", "delete,compact");
        change(topic, OpType.SUBTRACT, "cleanup.policy", "delete", "compact");
        change(topic, OpType.SET, "cleanup.policy", "delete", "delete");
        change(topic, OpType.SET, "retention.ms", "70000", "70000");
        change(topic, OpType.DELETE, "retention.ms", "", "604800000");

        var options = new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true);
        ConfigEntry entry = admin.describeConfigs(List.of(topic), options).all().get().get(topic).get("cleanup.policy");
        Walk.checkEquals(entry.source(), ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG);
        Walk.checkEquals(entry.type(), ConfigEntry.ConfigType.LIST);
        Walk.checkEquals(entry.synonyms().get(0).name(), "cleanup.policy");
        Walk.check(!entry.documentation().isBlank(), entry);
        var resources = admin.listConfigResources(Set.of(ConfigResource.Type.TOPIC, ConfigResource.Type.BROKER),
                new ListConfigResourcesOptions()).all().get();
        Walk.check(resources.contains(topic), resources);
        Walk.check(resources.contains(new ConfigResource(ConfigResource.Type.BROKER, "1")), resources);
    }

    /** Changes a setting, and waits for what it must be then. */
    private void change(ConfigResource of, OpType how, String name, String value, String expected) throws Exception {
        var change = new AlterConfigOp(new ConfigEntry(name, value), how);
        admin.incrementalAlterConfigs(Map.of(of, List.of(change))).all().get();
        Walk.checkBecomes(() -> admin.describeConfigs(List.of(of)).all().get().get(of).get(name).value(), expected);
    }

    private void membersAreRemoved() throws Exception {
        var crowd = new Crowd("java-removed", 1, 4);
        crowd.join(Map.of("group.instance.id", "one"), RangeAssignor.class);
        crowd.join(Map.of("group.instance.id", "two"), RangeAssignor.class);
        crowd.pollUntilShared(2, 2);
        var classic = admin.describeClassicGroups(List.of(crowd.group)).all().get().get(crowd.group);
        Walk.checkEquals(String.valueOf(classic.state()), "Stable");
        Walk.checkEquals(classic.protocolData(), "range");
        Walk.checkEquals(classic.members().size(), 2);

        var nobody = new RemoveMembersFromConsumerGroupOptions(Set.of(new MemberToRemove("nobody")));
        failsWith(UnknownMemberIdException.class, admin.removeMembersFromConsumerGroup(crowd.group, nobody).all());
        var one = new RemoveMembersFromConsumerGroupOptions(Set.of(new MemberToRemove("one")));
        admin.removeMembersFromConsumerGroup(crowd.group, one).all().get();
        // It hears of it at its next heartbeat, and of nothing else: it left the group, so that polls fail.
        Crowd.Member removed = crowd.members.remove(0);
        crowd.pollUntilShared(4);
        removed.consumer.close();

        admin.removeMembersFromConsumerGroup(crowd.group, new RemoveMembersFromConsumerGroupOptions()).all().get();
        var empty = admin.listGroups(new ListGroupsOptions().inGroupStates(EnumSet.of(GroupState.EMPTY))).all().get();
        Walk.check(empty.stream().anyMatch(group -> group.groupId().equals(crowd.group)), empty);
        crowd.members.get(0).consumer.close();
    }

    private void offsetsOfManyGroupsAreListed() throws Exception {
        var partition = new TopicPartition(Walk.createTopic("java-offsets", 1), 0);
        var other = new TopicPartition(partition.topic(), 1);
        List<String> groups = List.of(Walk.unique("java-first"), Walk.unique("java-second"));
        for (String group : groups) {
            var offset = new OffsetAndMetadata(7, Optional.of(3), "of " + group);
            admin.alterConsumerGroupOffsets(group, Map.of(partition, offset)).all().get();
        }
        var spec = new ListConsumerGroupOffsetsSpec().topicPartitions(List.of(partition, other));
        var listed = admin.listConsumerGroupOffsets(Map.of(groups.get(0), spec, groups.get(1), spec)).all().get();
        for (String group : groups) {
            Walk.checkEquals(listed.get(group).get(partition).metadata(), "of " + group);
            Walk.checkEquals(listed.get(group).get(partition).leaderEpoch(), Optional.of(3));
            Walk.check(listed.get(group).get(other) == null, listed);
        }
    }

    private void offsetsAreListedWithEachIsolation() throws Exception {
        var partition = new TopicPartition(Walk.createTopic("java-isolated", 1), 0);
        for (IsolationLevel level : IsolationLevel.values()) {
            for (OffsetSpec spec : List.of(OffsetSpec.earliest(), OffsetSpec.latest(), OffsetSpec.earliestLocal())) {
                var listed = admin.listOffsets(Map.of(partition, spec), new ListOffsetsOptions(level));
                Walk.checkEquals(listed.partitionResult(partition).get().offset(), 0L);
            }
            var listed = admin.listOffsets(Map.of(partition, OffsetSpec.maxTimestamp()), new ListOffsetsOptions(level));
            Walk.checkEquals(listed.partitionResult(partition).get().offset(), -1L);
        }
    }

    private void replicasStayWhereTheyAre() throws Exception {
        var partition = new TopicPartition(Walk.createTopic("java-placed", 1), 0);
        var replica = new TopicPartitionReplica(partition.topic(), 0, 1);
        String directory =
                admin.describeLogDirs(List.of(1)).allDescriptions().get().get(1).keySet().iterator().next();
        Walk.checkBecomes(
                () -> admin.describeReplicaLogDirs(List.of(replica)).all().get().get(replica).getCurrentReplicaLogDir(),
                directory);
        admin.alterReplicaLogDirs(Map.of(replica, directory)).all().get();
        failsWith(LogDirNotFoundException.class, admin.alterReplicaLogDirs(Map.of(replica, "/nowhere")).all());
        failsWith(NoReassignmentInProgressException.class,
                admin.alterPartitionReassignments(Map.of(partition, Optional.empty())).all());
        Walk.checkEquals(admin.listPartitionReassignments().reassignments().get(), Map.of());
        var elected = admin.electLeaders(ElectionType.PREFERRED, Set.of(partition)).partitions().get();
        Walk.check(elected.get(partition).get() instanceof ElectionNotNeededException, elected);
    }

    private void theClusterIsDescribed() throws Exception {
        var cluster = admin.describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true));
        Walk.checkEquals(cluster.nodes().get().size(), 1);
        Walk.checkEquals(cluster.controller().get().id(), 1);
        Walk.check(!cluster.authorizedOperations().get().isEmpty(), cluster);
        var features = admin.describeFeatures().featureMetadata().get();
        short level = features.finalizedFeatures().get("metadata.version").maxVersionLevel();
        var beyond = Map.of("metadata.version", new FeatureUpdate((short) (level + 50), FeatureUpdate.UpgradeType.UPGRADE));
        failsWith(InvalidUpdateVersionException.class,
                admin.updateFeatures(beyond, new UpdateFeaturesOptions().validateOnly(true)).all());
        var quorum = admin.describeMetadataQuorum().quorumInfo().get();
        Walk.checkEquals(quorum.leaderId(), 1);
        Walk.checkEquals(quorum.voters().size(), 1);
    }

    private static void failsWith(Class<? extends Exception> expected, KafkaFuture<?> call) throws Exception {
        try {
            Object result = call.get();
            throw new AssertionError("no " + expected.getSimpleName() + " but " + result);
        } catch (ExecutionException refused) {
            Walk.check(expected.isInstance(refused.getCause()), refused);
        }
    }
}
