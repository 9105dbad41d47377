// Members come and go: each partition has one owner, and no message is lost.
import { Crew, PARTITIONS } from "../../crew.js";
import { assert, createTopic, newConsumer, unique, walk, withProducer } from "./lib.js";

walk(async (admin) => {
  const topic = await createTopic(admin, "groups", PARTITIONS);
  const groupId = unique("workers");
  const crew = new Crew();

  /** Joins, and returns how to leave. A message is handled once its commit is acknowledged. What was being fetched while
   *  partitions moved, this library hands to both members. */
  const join = async (name) => {
    const consumer = newConsumer(groupId, name === "c" ? { groupInstanceId: unique("static") } : {});
    consumer.on("consumer:group:join", ({ assignments }) => {
      crew.owns(name, assignments.flatMap(({ partitions }) => partitions));
    });
    const stream = await consumer.consume({ topics: [topic], mode: "committed", fallbackMode: "earliest", autocommit: false });
    stream.on("data", async (message) => {
      await message.commit();
      crew.handles(message.value);
    });
    return async () => {
      crew.leaves(name);
      await consumer.close(true);
    };
  };
  const look = async () => {
    const group = (await admin.describeGroups({ groups: [groupId] })).get(groupId);
    assert.deepEqual([group.state, group.protocolType, group.protocol, group.members.size], ["STABLE", "consumer", "roundrobin", 3]);
    assert.deepEqual([...group.members.values()].filter(({ groupInstanceId }) => groupInstanceId !== null).length, 1);
  };
  const send = (messages) =>
    withProducer({}, (producer) => producer.send({ messages: messages.map((message) => ({ topic, ...message })) }));
  await crew.comeAndGo({ join, look, send });
});
