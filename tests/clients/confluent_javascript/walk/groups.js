// Members come and go, with each assignor: each partition has one owner, and every message is handled once.
const { ErrorCodes, PartitionAssigners } = require("@confluentinc/kafka-javascript").KafkaJS;
const { Crew, PARTITIONS } = require("../../crew.js");
const { assert, createTopic, newConsumer, unique, walk, withAdmin, withProducer } = require("./lib");

walk(() => Promise.all(Object.values(PartitionAssigners).map(comeAndGo)));

async function comeAndGo(assigner) {
  const topic = await createTopic(assigner, PARTITIONS);
  const groupId = unique(assigner);
  const crew = new Crew();

  const join = async (name) => {
    const owned = new Set();
    crew.owns(name, owned);
    const onRebalance = (event, partitions) => {
      const gets = event.code === ErrorCodes.ERR__ASSIGN_PARTITIONS;
      for (const { partition } of partitions) gets ? owned.add(partition) : owned.delete(partition);
      crew.changed();
    };
    const consumer = newConsumer({ groupId, partitionAssigners: [assigner] }, { rebalance_cb: onRebalance });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic] });
    await consumer.run({ eachMessage: async ({ message }) => crew.handles(message.value.toString()) });
    return async () => {
      crew.leaves(name);
      await consumer.disconnect();
    };
  };
  const look = () =>
    withAdmin(async (admin) => {
      const { groups } = await admin.describeGroups([groupId]);
      assert.deepEqual([groups[0].partitionAssignor, groups[0].members.length], [assigner, 3]);
      assert.ok(groups[0].members.every(({ assignment }) => assignment.topicPartitions.length === 2));
    });
  const send = (messages) => withProducer({}, (producer) => producer.send({ topic, messages }));
  await crew.comeAndGo({ join, look, send });
  assert.deepEqual(crew.notHandledOnce(), []);
}
