// The admin client: topics made, listed, described, emptied and deleted; the cluster.
const { assert, rejection, unique, walk, withAdmin, withProducer } = require("./lib");

walk(() =>
  withAdmin(async (admin) => {
    const { brokers, controller, clusterId } = await admin.describeCluster();
    assert.deepEqual(brokers.map((broker) => `${broker.host}:${broker.port}`), [process.env.BOOTSTRAP]);
    assert.equal(controller, brokers[0].nodeId);
    assert.ok(clusterId.length > 0);

    const topic = unique("admin");
    const described = { topic, numPartitions: 3, configEntries: [{ name: "retention.ms", value: "3600000" }] };
    const checked = { topics: [{ ...described, topic: unique("only-checked") }], validateOnly: true, waitForLeaders: false };
    assert.equal(await admin.createTopics(checked), true);
    assert.equal(await admin.createTopics({ topics: [described] }), true);
    assert.equal(await admin.createTopics({ topics: [described] }), false, "an existing topic is no error, but false");
    const topics = await admin.listTopics();
    assert.ok(topics.includes(topic) && !topics.some((name) => name.startsWith("only-checked")));
    const metadata = await admin.fetchTopicMetadata({ topics: [topic] });
    assert.deepEqual(
      metadata.topics[0].partitions.map(({ partitionId, leader, isr }) => [partitionId, leader, isr]).sort(),
      [0, 1, 2].map((partition) => [partition, controller, [controller]]),
    );

    const refused = async (wrong) => {
      const error = await rejection(admin.createTopics({ topics: [{ topic: unique("wrong"), ...wrong }] }));
      return (error.errors ?? [error]).map(({ type, message }) => [type, message]);
    };
    for (const [wrong, type] of [
      [{ topic: "no spaces" }, "INVALID_TOPIC_EXCEPTION"],
      [{ topic: "x".repeat(250) }, "INVALID_TOPIC_EXCEPTION"],
      [{ numPartitions: 0 }, "INVALID_PARTITIONS"],
      [{ replicationFactor: 3 }, "INVALID_REPLICATION_FACTOR"],
      [{ configEntries: [{ name: "no.such.setting", value: "1" }] }, "INVALID_CONFIG"],
      [{ configEntries: [{ name: "retention.ms", value: "soon" }] }, "INVALID_CONFIG"],
      [{ numPartitions: 2, replicaAssignment: [{ partition: 0, replicas: [controller] }] }, "INVALID_REQUEST"],
      [{ numPartitions: -1, replicationFactor: -1, replicaAssignment: [{ partition: 1, replicas: [controller] }] }, "INVALID_REPLICA_ASSIGNMENT"],
    ]) {
      const [[found, message]] = await refused(wrong);
      console.log(`${JSON.stringify(wrong)}: ${found}: ${message}`);
      assert.equal(found, type);
    }

    await withProducer({}, (producer) =>
      producer.send({ topic, messages: Array.from({ length: 30 }, (_, n) => ({ partition: n % 3, value: `${n}` })) }),
    );
    const offsets = async () =>
      (await admin.fetchTopicOffsets(topic))
        .sort((a, b) => a.partition - b.partition)
        .map(({ low, offset, high }) => [low, offset, high]);
    assert.deepEqual(await offsets(), [["0", "10", "10"], ["0", "10", "10"], ["0", "10", "10"]]);
    await admin.deleteTopicRecords({
      topic,
      partitions: [{ partition: 0, offset: "4" }, { partition: 1, offset: "-1" }],
    });
    assert.deepEqual(await offsets(), [["4", "10", "10"], ["10", "10", "10"], ["0", "10", "10"]]);
    const beyond = await rejection(admin.deleteTopicRecords({ topic, partitions: [{ partition: 2, offset: "11" }] }));
    assert.deepEqual(beyond.cause.partitions.map(({ partition, error }) => [partition, error.type]), [[2, "OFFSET_OUT_OF_RANGE"]]);

    await admin.deleteTopics({ topics: [topic] });
    assert.ok(!(await admin.listTopics()).includes(topic));
    const missing = await rejection(withAdmin((impatient) => impatient.deleteTopics({ topics: [topic] }), { retries: 0 }));
    assert.equal(missing.cause.type, "UNKNOWN_TOPIC_OR_PARTITION");
    // Made anew under its old name, it is another, empty topic.
    assert.equal(await admin.createTopics({ topics: [described] }), true);
    assert.deepEqual(await offsets(), [["0", "0", "0"], ["0", "0", "0"], ["0", "0", "0"]]);
  }),
);
