// Members come and go: each partition has one owner, and every message is handled once.
const { assert, createTopic, newConsumer, unique, until, walk, withAdmin, withProducer } = require("./lib");

const PARTITIONS = 6;

walk(async () => {
  const topic = await createTopic("groups", PARTITIONS);
  const groupId = unique("workers");
  const owners = new Map(); // member name -> partitions
  const handled = new Map(); // value -> times
  const waits = new Set();
  const changed = () => waits.forEach((wait) => wait.check());
  const reached = async (condition) => {
    const wait = until(condition);
    waits.add(wait);
    wait.check();
    await wait.done;
    waits.delete(wait);
  };

  const join = async (name) => {
    const consumer = newConsumer({ groupId });
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      owners.set(name, payload.memberAssignment[topic] ?? []);
      changed();
    });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => {
        const value = message.value.toString();
        handled.set(value, (handled.get(value) ?? 0) + 1);
        changed();
      },
    });
    return {
      leave: async () => {
        owners.delete(name);
        await consumer.disconnect();
      },
    };
  };
  const shared = (members, each) => () =>
    owners.size === members &&
    [...owners.values()].every((partitions) => partitions.length === each) &&
    new Set([...owners.values()].flat()).size === PARTITIONS;
  let sent = 0;
  const send = (producer) =>
    producer.send({ topic, messages: Array.from({ length: 60 }, () => ({ partition: sent % PARTITIONS, value: `${sent++}` })) });

  await withProducer({}, async (producer) => {
    const a = await join("a");
    await reached(shared(1, 6));
    await send(producer);
    await reached(() => handled.size === sent);

    const b = await join("b");
    await reached(shared(2, 3));
    await send(producer);
    await reached(() => handled.size === sent);

    const c = await join("c");
    await reached(shared(3, 2));
    await withAdmin(async (admin) => {
      const { groups } = await admin.describeGroups([groupId]);
      assert.deepEqual([groups[0].state, groups[0].protocolType, groups[0].members.length], ["Stable", "consumer", 3]);
      assert.ok(groups[0].members.every((member) => member.clientId === "walk" && member.clientHost.startsWith("/")));
      const list = (await admin.listGroups()).groups;
      assert.deepEqual(list.filter((group) => group.groupId === groupId), [{ groupId, protocolType: "consumer" }]);
    });
    await a.leave();
    await reached(shared(2, 3));
    await send(producer);
    await reached(() => handled.size === sent);
    await b.leave();
    await reached(shared(1, 6));
    await send(producer);
    await reached(() => handled.size === sent);
    await c.leave();
  });
  assert.deepEqual([...handled.values()].filter((times) => times !== 1), []);

  await withAdmin(async (admin) => {
    const states = [];
    for (const id of [groupId, unique("nobody")]) {
      const { groups } = await admin.describeGroups([id]);
      states.push(...groups.map(({ state, members }) => [state, members.length]));
    }
    assert.deepEqual(states, [["Empty", 0], ["Dead", 0]]);
  });
});
