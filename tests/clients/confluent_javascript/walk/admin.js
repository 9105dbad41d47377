// The admin client: topics made, described, emptied and deleted; groups and their offsets.
const { ConsumerGroupStates, ConsumerGroupTypes, ErrorCodes } = require("@confluentinc/kafka-javascript").KafkaJS;
const { assert, createTopic, newConsumer, refusal, unique, until, walk, withAdmin, withClient, withProducer } = require("./lib");

walk(() =>
  withAdmin(async (admin) => {
    await topics(admin);
    await records(admin);
    await groups(admin);
  }),
);

const byPartition = (list) => list.sort((a, b) => a.partition - b.partition);

async function topics(admin) {
  const topic = unique("topic");
  const described = { topic, numPartitions: 3, replicationFactor: 1, configEntries: [{ name: "retention.ms", value: "3600000" }] };
  assert.equal(await admin.createTopics({ topics: [described] }), true);
  assert.equal(await admin.createTopics({ topics: [described] }), false, "an existing topic is no error, but false");
  for (const [wrong, code] of [
    [{ topic: "no spaces" }, ErrorCodes.ERR_TOPIC_EXCEPTION],
    [{ replicationFactor: 3 }, ErrorCodes.ERR_INVALID_REPLICATION_FACTOR],
    [{ configEntries: [{ name: "retention.ms", value: "soon" }] }, ErrorCodes.ERR_INVALID_CONFIG],
  ]) {
    assert.equal(await refusal(admin.createTopics({ topics: [{ topic: unique("wrong"), ...wrong }] })), code);
  }
  assert.ok((await admin.listTopics()).includes(topic));
  const [metadata] = await admin.fetchTopicMetadata({ topics: [topic], includeAuthorizedOperations: true });
  assert.deepEqual([metadata.name, metadata.isInternal, metadata.partitions.length], [topic, false, 3]);
  assert.ok(metadata.partitions.every(({ leader, isr }) => isr.length === 1 && isr[0] === leader));
  assert.ok(metadata.authorizedOperations.length > 0);

  await admin.deleteTopics({ topics: [topic] });
  assert.ok(!(await admin.listTopics()).includes(topic));
  assert.equal(await refusal(admin.deleteTopics({ topics: [topic] })), ErrorCodes.ERR_UNKNOWN_TOPIC_OR_PART);
}

async function records(admin) {
  const topic = await createTopic("records", 2);
  const messages = Array.from({ length: 20 }, (_, n) => ({ partition: n % 2, value: `${n}`, timestamp: `${1000 + n}` }));
  await withProducer({}, (producer) => producer.send({ topic, messages }));
  const offsets = async () => byPartition(await admin.fetchTopicOffsets(topic)).map(({ low, high }) => [low, high]);
  assert.deepEqual(await offsets(), [["0", "10"], ["0", "10"]]);
  const dated = byPartition(await admin.fetchTopicOffsetsByTimestamp(topic, 1009));
  assert.deepEqual(dated.map(({ offset }) => offset), ["5", "4"]);

  const partitions = [{ partition: 0, offset: "4" }, { partition: 1, offset: "-1" }];
  const deleted = byPartition(await admin.deleteTopicRecords({ topic, partitions }));
  assert.deepEqual(deleted.map(({ lowWatermark }) => lowWatermark), [4, 10]);
  assert.deepEqual(await offsets(), [["4", "10"], ["10", "10"]]);
  const beyond = { topic, partitions: [{ partition: 0, offset: "11" }] };
  assert.equal(await refusal(admin.deleteTopicRecords(beyond)), ErrorCodes.ERR_OFFSET_OUT_OF_RANGE);
}

async function groups(admin) {
  const topic = await createTopic("groups");
  await withProducer({}, (producer) => producer.send({ topic, messages: [{ value: "one" }] }));
  const groupId = unique("group");
  const find = async (options) => (await admin.listGroups(options)).groups.find((group) => group.groupId === groupId);

  await withClient(newConsumer({ groupId, autoCommit: false }), async (consumer) => {
    let seen = 0;
    const read = until(() => seen === 1);
    await consumer.subscribe({ topic });
    await consumer.run({ eachMessage: async () => void (seen++, read.check()) });
    await read.done;
    await consumer.commitOffsets([{ topic, partition: 0, offset: "1", metadata: "read" }]);

    const { groups } = await admin.describeGroups([groupId], { includeAuthorizedOperations: true });
    const [{ state, type, members, isSimpleConsumerGroup }] = groups;
    assert.deepEqual([state, type, members[0].clientId], [ConsumerGroupStates.STABLE, ConsumerGroupTypes.CLASSIC, "walk"]);
    assert.equal(isSimpleConsumerGroup, false);
    assert.ok(await find({ matchConsumerGroupStates: [ConsumerGroupStates.STABLE] }));
    assert.ok(!(await find({ matchConsumerGroupTypes: [ConsumerGroupTypes.CONSUMER] })));
    assert.equal((await admin.deleteGroups([groupId]).catch((error) => error.groups))[0].errorCode, ErrorCodes.ERR_NON_EMPTY_GROUP);
  });

  const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [topic] });
  assert.deepEqual(partitions.map(({ partition, offset, metadata }) => [partition, offset, metadata]), [[0, "1", "read"]]);
  assert.ok(await find({ matchConsumerGroupStates: [ConsumerGroupStates.EMPTY] }));
  assert.equal((await admin.deleteGroups([groupId]))[0].errorCode, 0);
  assert.ok(!(await find()));
}
