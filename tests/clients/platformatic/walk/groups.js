// Members come and go: each partition has one owner, and no message is lost.
import { assert, createTopic, newConsumer, unique, walk, withProducer } from "./lib.js";

const PARTITIONS = 6;

walk(async (admin) => {
  const topic = await createTopic(admin, "groups", PARTITIONS);
  const groupId = unique("workers");
  const members = new Map(); // name -> partitions
  const handled = new Set(); // values
  let changed = () => {};

  const reached = (condition) =>
    new Promise((resolve) => {
      changed = () => condition() && resolve();
      changed();
    });
  const shared = (...counts) =>
    reached(() => {
      const owned = [...members.values()];
      const sizes = owned.map((partitions) => partitions.length).sort();
      return `${sizes}` === `${counts}` && new Set(owned.flat()).size === PARTITIONS;
    });

  /** Joins, and returns how to leave. A message is handled once its commit is acknowledged. What was being fetched while
   *  partitions moved, this library hands to both members. */
  const join = async (name, options) => {
    const consumer = newConsumer(groupId, options);
    consumer.on("consumer:group:join", ({ assignments }) => {
      members.set(name, assignments.flatMap(({ partitions }) => partitions));
      changed();
    });
    const stream = await consumer.consume({ topics: [topic], mode: "committed", fallbackMode: "earliest", autocommit: false });
    stream.on("data", async (message) => {
      await message.commit();
      handled.add(message.value);
      changed();
    });
    return async () => {
      members.delete(name);
      await consumer.close(true);
    };
  };

  let sent = 0;
  const work = async () => {
    const messages = Array.from({ length: 60 }, () => ({ topic, partition: sent % PARTITIONS, value: `${sent++}` }));
    await withProducer({}, (producer) => producer.send({ messages }));
    await reached(() => handled.size === sent);
  };

  const aLeaves = await join("a");
  await shared(6);
  await work();
  const bLeaves = await join("b");
  await shared(3, 3);
  await work();
  const cLeaves = await join("c", { groupInstanceId: unique("static") });
  await shared(2, 2, 2);
  await work();

  const group = (await admin.describeGroups({ groups: [groupId] })).get(groupId);
  assert.deepEqual([group.state, group.protocolType, group.protocol, group.members.size], ["STABLE", "consumer", "roundrobin", 3]);
  assert.deepEqual([...group.members.values()].filter(({ groupInstanceId }) => groupInstanceId !== null).length, 1);

  await aLeaves();
  await shared(3, 3);
  await work();
  await bLeaves();
  await shared(6);
  await work();
  await cLeaves();
});
