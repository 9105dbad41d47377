// The rest of the admin client: settings of topics and brokers, more partitions, reassignments, groups that go.
const { ConfigResourceTypes } = require("kafkajs");
const { assert, createTopic, newConsumer, rejection, unique, walk, withAdmin } = require("./lib");

walk(() =>
  withAdmin(async (admin) => {
    const requests = new Set();
    admin.on(admin.events.REQUEST, ({ payload }) => requests.add(payload.apiName));
    await settings(admin);
    await partitions(admin);
    await reassignments(admin);
    await groups(admin);
    assert.deepEqual(
      ["DescribeConfigs", "AlterConfigs", "CreatePartitions", "AlterPartitionReassignments", "DeleteGroups"].filter((name) => !requests.has(name)),
      [],
    );
  }),
);

async function settings(admin) {
  const topic = await createTopic("settings");
  const values = async (type, name, configNames) => {
    const { resources } = await admin.describeConfigs({ resources: [{ type, name, configNames }], includeSynonyms: true });
    assert.equal(resources[0].errorCode, 0);
    return resources[0].configEntries.map(({ configName, configValue }) => [configName, configValue]).sort();
  };
  const names = ["cleanup.policy", "max.message.bytes"];
  const ofTopic = () => values(ConfigResourceTypes.TOPIC, topic, names);
  const alter = (validateOnly, ...configEntries) => {
    const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }];
    return admin.alterConfigs({ validateOnly, resources });
  };
  assert.deepEqual(await ofTopic(), [["cleanup.policy", "delete"], ["max.message.bytes", "1048588"]]);
  await alter(true, { name: "cleanup.policy", value: "compact" });
  assert.deepEqual(await ofTopic(), [["cleanup.policy", "delete"], ["max.message.bytes", "1048588"]]);
  await alter(false, { name: "cleanup.policy", value: "compact" });
  assert.deepEqual(await ofTopic(), [["cleanup.policy", "compact"], ["max.message.bytes", "1048588"]]);
  // What is not named goes back to its default.
  await alter(false, { name: "max.message.bytes", value: "2000" });
  assert.deepEqual(await ofTopic(), [["cleanup.policy", "delete"], ["max.message.bytes", "2000"]]);
  assert.equal((await rejection(alter(false, { name: "cleanup.policy", value: "burn" }))).type, "INVALID_CONFIG");

  const { controller } = await admin.describeCluster();
  assert.deepEqual(await values(ConfigResourceTypes.BROKER, `${controller}`, ["num.partitions"]), [["num.partitions", "1"]]);
  assert.ok((await values(ConfigResourceTypes.TOPIC, topic)).length > 20, "all of them where none is named");
}

async function partitions(admin) {
  const topic = await createTopic("partitions", 2);
  const count = async () => (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0].partitions.length;
  await admin.createPartitions({ validateOnly: true, topicPartitions: [{ topic, count: 4 }] });
  assert.equal(await count(), 2);
  await admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] });
  assert.equal(await count(), 4);
  const fewer = await rejection(admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] }));
  assert.equal(fewer.type, "INVALID_PARTITIONS");
}

async function reassignments(admin) {
  const topic = await createTopic("reassigned");
  const { controller } = await admin.describeCluster();
  const assign = (...replicas) =>
    admin.alterPartitionReassignments({ topics: [{ topic, partitionAssignment: [{ partition: 0, replicas }] }] });
  await assign(controller);
  const { topics } = await admin.listPartitionReassignments({ topics: [{ topic, partitions: [0] }] });
  assert.deepEqual(topics, []);
  assert.deepEqual((await admin.listPartitionReassignments({})).topics, []);
  const refused = await rejection(assign(controller + 1));
  assert.deepEqual((refused.errors ?? [refused]).map(({ type }) => type), ["INVALID_REPLICA_ASSIGNMENT"]);
}

async function groups(admin) {
  const topic = await createTopic("grouped");
  const groupId = unique("going");
  const consumer = newConsumer({ groupId });
  const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({ eachMessage: async () => {} });
  await joined;
  const types = async (...ids) => (await rejection(admin.deleteGroups(ids))).groups.map(({ error }) => error.type);
  assert.deepEqual(await types(groupId), ["NON_EMPTY_GROUP"]);
  await consumer.disconnect();
  assert.deepEqual(await admin.deleteGroups([groupId]), [{ groupId, errorCode: 0 }]);
  assert.ok(!(await admin.listGroups()).groups.some((group) => group.groupId === groupId));
  assert.deepEqual(await types(groupId), ["GROUP_ID_NOT_FOUND"]);
}
