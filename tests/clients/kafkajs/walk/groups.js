// Members come and go: each partition has one owner, and every message is handled once.
const { Crew, PARTITIONS } = require("../../crew.js");
const { assert, createTopic, newConsumer, unique, walk, withAdmin, withProducer } = require("./lib");

walk(async () => {
  const topic = await createTopic("groups", PARTITIONS);
  const groupId = unique("workers");
  const crew = new Crew();

  const join = async (name) => {
    const consumer = newConsumer({ groupId });
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => crew.owns(name, payload.memberAssignment[topic] ?? []));
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({ eachMessage: async ({ message }) => crew.handles(message.value.toString()) });
    return async () => {
      crew.leaves(name);
      await consumer.disconnect();
    };
  };
  const look = () =>
    withAdmin(async (admin) => {
      const { groups } = await admin.describeGroups([groupId]);
      assert.deepEqual([groups[0].state, groups[0].protocolType, groups[0].members.length], ["Stable", "consumer", 3]);
      assert.ok(groups[0].members.every((member) => member.clientId === "walk" && member.clientHost.startsWith("/")));
      const list = (await admin.listGroups()).groups;
      assert.deepEqual(list.filter((group) => group.groupId === groupId), [{ groupId, protocolType: "consumer" }]);
    });
  await withProducer({}, (producer) =>
    crew.comeAndGo({ join, look, send: (messages) => producer.send({ topic, messages }) }),
  );
  assert.deepEqual(crew.notHandledOnce(), []);

  await withAdmin(async (admin) => {
    const states = [];
    for (const id of [groupId, unique("nobody")]) {
      const { groups } = await admin.describeGroups([id]);
      states.push(...groups.map(({ state, members }) => [state, members.length]));
    }
    assert.deepEqual(states, [["Empty", 0], ["Dead", 0]]);
  });
});
