// Members come and go, with each assignor: each partition has one owner, and every message is handled once.
const { ErrorCodes, PartitionAssigners } = require("@confluentinc/kafka-javascript").KafkaJS;
const { assert, createTopic, newConsumer, unique, until, walk, withAdmin, withProducer } = require("./lib");

const PARTITIONS = 6;

walk(() => Promise.all(Object.values(PartitionAssigners).map(comeAndGo)));

async function comeAndGo(assigner) {
  const topic = await createTopic(assigner, PARTITIONS);
  const groupId = unique(assigner);
  const members = new Map(); // name -> the partitions that it owns
  const handled = new Map(); // value -> times
  let waits = [];
  const changed = () => waits.forEach((wait) => wait.check());
  const reached = async (condition) => {
    const wait = until(condition);
    waits = [wait];
    await wait.done;
  };
  const shared = (...counts) =>
    reached(() => {
      const owned = [...members.values()].map((partitions) => [...partitions]);
      const sizes = owned.map((partitions) => partitions.length).sort();
      return `${sizes}` === `${counts}` && new Set(owned.flat()).size === PARTITIONS;
    });

  const join = async (name) => {
    const owned = new Set();
    members.set(name, owned);
    const onRebalance = (event, partitions) => {
      const gets = event.code === ErrorCodes.ERR__ASSIGN_PARTITIONS;
      for (const { partition } of partitions) gets ? owned.add(partition) : owned.delete(partition);
      changed();
    };
    const consumer = newConsumer({ groupId, partitionAssigners: [assigner] }, { rebalance_cb: onRebalance });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic] });
    await consumer.run({
      eachMessage: async ({ message }) => {
        const value = message.value.toString();
        handled.set(value, (handled.get(value) ?? 0) + 1);
        changed();
      },
    });
    return async () => {
      members.delete(name);
      await consumer.disconnect();
    };
  };
  let sent = 0;
  const work = async () => {
    const messages = Array.from({ length: 60 }, () => ({ partition: sent % PARTITIONS, value: `${sent++}` }));
    await withProducer({}, (producer) => producer.send({ topic, messages }));
    await reached(() => handled.size === sent);
  };

  const aLeaves = await join("a");
  await shared(6);
  await work();
  const bLeaves = await join("b");
  await shared(3, 3);
  await work();
  const cLeaves = await join("c");
  await shared(2, 2, 2);
  await work();

  await withAdmin(async (admin) => {
    const { groups } = await admin.describeGroups([groupId]);
    assert.deepEqual([groups[0].partitionAssignor, groups[0].members.length], [assigner, 3]);
    assert.ok(groups[0].members.every(({ assignment }) => assignment.topicPartitions.length === 2));
  });

  await aLeaves();
  await shared(3, 3);
  await work();
  await bLeaves();
  await shared(6);
  await work();
  await cLeaves();
  assert.deepEqual([...handled.values()].filter((times) => times !== 1), []);
}
