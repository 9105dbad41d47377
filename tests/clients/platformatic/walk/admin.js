// The admin client: topics, partitions, settings, records, groups and their offsets.
import {
  ConfigResourceTypes,
  FindCoordinatorKeyTypes,
  IncrementalAlterConfigOperationTypes as Operation,
} from "@platformatic/kafka";
import { assert, createTopic, newConsumer, refusal, take, unique, walk, withProducer } from "./lib.js";

walk(async (admin) => {
  await cluster(admin);
  await topics(admin);
  await settings(admin);
  await records(admin);
  await groups(admin);
  await members(admin);
});

async function cluster(admin) {
  const { id, brokers, controllerId } = await admin.metadata({ topics: [] });
  assert.ok(id.length > 0 && brokers.has(controllerId));
  assert.deepEqual([...brokers.values()].map(({ host, port }) => `${host}:${port}`), [process.env.BOOTSTRAP]);
  const apis = await admin.listApis();
  assert.ok(apis.some(({ name }) => name === "Produce"));
}

async function topics(admin) {
  const names = [unique("one"), unique("two")];
  const configs = [{ name: "retention.ms", value: "3600000" }];
  const created = await admin.createTopics({ topics: names, partitions: 2, replicas: 1, configs });
  assert.deepEqual(created.map(({ name, partitions, replicas }) => [name, partitions, replicas]).sort(), names.map((name) => [name, 2, 1]));
  assert.equal(created[0].configuration["retention.ms"], "3600000");
  assert.deepEqual(await refusal(admin.createTopics({ topics: [names[0]] })), ["TOPIC_ALREADY_EXISTS"]);
  assert.deepEqual(await refusal(admin.createTopics({ topics: [unique("wrong")], replicas: 3 })), ["INVALID_REPLICATION_FACTOR"]);

  await admin.createPartitions({ topics: [{ name: names[1], count: 5 }] });
  const metadata = await admin.metadata({ topics: names, forceUpdate: true });
  assert.deepEqual(names.map((name) => metadata.topics.get(name).partitionsCount), [2, 5]);
  const fewer = { topics: [{ name: names[1], count: 1 }] };
  assert.deepEqual(await refusal(admin.createPartitions(fewer)), ["INVALID_PARTITIONS"]);

  const listed = await admin.listTopics();
  assert.ok(names.every((name) => listed.includes(name)) && !listed.includes("__consumer_offsets"));
  await admin.deleteTopics({ topics: names });
  assert.ok(!(await admin.listTopics()).some((name) => names.includes(name)));
  assert.ok((await refusal(admin.deleteTopics({ topics: [names[0]] }))).includes("UNKNOWN_TOPIC_OR_PARTITION"));
}

async function settings(admin) {
  const topic = await createTopic(admin, "settings");
  const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName: topic };
  const values = async (...names) => {
    const [{ configs }] = await admin.describeConfigs({ resources: [{ ...resource, configurationKeys: names }], includeSynonyms: true });
    return names.map((name) => configs.find((config) => config.name === name).value);
  };
  assert.deepEqual(await values("cleanup.policy", "retention.ms"), ["delete", "604800000"]);
  const incrementally = (configs) => admin.incrementalAlterConfigs({ resources: [{ ...resource, configs }] });
  await incrementally([
    { name: "retention.ms", configOperation: Operation.SET, value: "1000000" },
    { name: "cleanup.policy", configOperation: Operation.APPEND, value: "compact" },
  ]);
  assert.deepEqual(await values("cleanup.policy", "retention.ms"), ["delete,compact", "1000000"]);
  await incrementally([{ name: "retention.ms", configOperation: Operation.DELETE }]);
  assert.deepEqual(await values("retention.ms"), ["604800000"]);
  // All at once: what is not named goes back to its default.
  await admin.alterConfigs({ resources: [{ ...resource, configs: [{ name: "max.message.bytes", value: "2000" }] }] });
  assert.deepEqual(await values("cleanup.policy", "max.message.bytes"), ["delete", "2000"]);
  const wrong = [{ name: "retention.ms", configOperation: Operation.SET, value: "soon" }];
  assert.deepEqual(await refusal(incrementally(wrong)), ["INVALID_CONFIG"]);

  const { controllerId } = await admin.metadata({ topics: [] });
  const broker = { resourceType: ConfigResourceTypes.BROKER, resourceName: `${controllerId}` };
  const [{ configs }] = await admin.describeConfigs({ resources: [broker], includeDocumentation: true });
  const partitions = configs.find(({ name }) => name === "num.partitions");
  assert.ok(partitions.value === "1" && partitions.documentation.length > 0);
}

async function records(admin) {
  const topic = await createTopic(admin, "records", 2);
  const messages = Array.from({ length: 20 }, (_, n) => ({ topic, partition: n % 2, value: `${n}`, timestamp: 1000n + BigInt(n) }));
  await withProducer({}, (producer) => producer.send({ messages }));
  const offsets = async (timestamp) => {
    const partitions = [0, 1].map((partitionIndex) => ({ partitionIndex, timestamp }));
    const [listed] = await admin.listOffsets({ topics: [{ name: topic, partitions }] });
    return listed.partitions.sort((a, b) => a.partitionIndex - b.partitionIndex).map(({ offset }) => offset);
  };
  assert.deepEqual([await offsets(-2n), await offsets(-1n), await offsets(1011n)], [[0n, 0n], [10n, 10n], [6n, 5n]]);

  const upTo = (partition, offset) => admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition, offset }] }] });
  const [deleted] = await upTo(0, 4n);
  assert.deepEqual(deleted.partitions, [{ partition: 0, lowWatermark: 4n }]);
  await upTo(1, -1n);
  assert.deepEqual([await offsets(-2n), await offsets(-1n)], [[4n, 10n], [10n, 10n]]);
  assert.deepEqual(await refusal(upTo(0, 11n)), ["OFFSET_OUT_OF_RANGE"]);

  const [broker] = await admin.describeLogDirs({ topics: [{ name: topic, partitions: [0, 1] }] });
  const [dir] = broker.results.filter(({ topics }) => topics.length > 0);
  assert.deepEqual(dir.topics[0].partitions.map(({ offsetLag, isFutureKey }) => [offsetLag, isFutureKey]), [[0n, false], [0n, false]]);
  assert.ok(dir.totalBytes > dir.usableBytes && dir.usableBytes > 0n);
}

async function groups(admin) {
  const topic = await createTopic(admin, "groups", 2);
  const groupId = unique("group");
  const [coordinator] = await admin.findCoordinator({ keyType: FindCoordinatorKeyTypes.GROUP, keys: [groupId] });
  assert.equal(`${coordinator.host}:${coordinator.port}`, process.env.BOOTSTRAP);

  const partitionOffsets = [{ partition: 0, offset: 7n }, { partition: 1, offset: 8n }];
  await admin.alterConsumerGroupOffsets({ groupId, topics: [{ name: topic, partitionOffsets }] });
  const committed = async () => {
    const [group] = await admin.listConsumerGroupOffsets({ groups: [groupId] });
    return group.topics.flatMap(({ partitions }) => partitions.map(({ committedOffset }) => committedOffset)).sort();
  };
  assert.deepEqual(await committed(), [7n, 8n]);
  await admin.deleteConsumerGroupOffsets({ groupId, topics: [{ name: topic, partitionIndexes: [0] }] });
  assert.deepEqual(await committed(), [8n]);

  const { id, state, groupType } = (await admin.listGroups({ states: ["EMPTY"] })).get(groupId);
  assert.deepEqual([id, state, groupType], [groupId, "EMPTY", "classic"]);
  assert.ok(!(await admin.listGroups({ states: ["STABLE"] })).has(groupId));
  assert.ok(!(await admin.listGroups({ types: ["consumer"] })).has(groupId));
  await admin.deleteGroups({ groups: [groupId] });
  assert.ok(!(await admin.listGroups()).has(groupId));
  assert.ok((await refusal(admin.deleteGroups({ groups: [groupId] }))).includes("GROUP_ID_NOT_FOUND"));
}

/** A group with a member is not deleted; a member that is sent away comes back as another. */
async function members(admin) {
  const topic = await createTopic(admin, "members");
  await withProducer({}, (producer) => producer.send({ messages: [{ topic, value: "one" }] }));
  const groupId = unique("busy");
  const consumer = newConsumer(groupId);
  await take(await consumer.consume({ topics: [topic], mode: "earliest", autocommit: false }), 1);

  const described = (await admin.describeGroups({ groups: [groupId] })).get(groupId);
  const [member] = described.members.values();
  assert.deepEqual([described.state, member.clientId, [...member.assignments.values()]], ["STABLE", "walk", [{ topic, partitions: [0] }]]);
  assert.ok((await refusal(admin.deleteGroups({ groups: [groupId] }))).includes("NON_EMPTY_GROUP"));
  const returned = new Promise((resolve) => consumer.once("consumer:group:join", resolve));
  await admin.removeMembersFromConsumerGroup({ groupId, members: [{ memberId: member.id, reason: "sent away" }] });
  assert.notEqual((await returned).memberId, member.id);
  await consumer.close(true);
}
