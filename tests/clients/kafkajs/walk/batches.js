// A consumer that takes whole batches: what it resolves, commits, pauses and leaves; its events; stop and start again.
const { assert, createTopic, newConsumer, unique, until, walk, withAdmin, withProducer } = require("./lib");

const numbers = (from, to) => Array.from({ length: to - from }, (_, n) => `${from + n}`);

walk(async () => {
  await resolves();
  await stopsAndStarts();
  await commitsOftenEnough();
  await readsPartitionsAtOnce();
  await subscribesByPattern();
  await findsItsCommitGone();
});

async function filledTopic(name, count, partitions = 1) {
  const topic = await createTopic(name, partitions);
  const messages = numbers(0, count).map((value) => ({ value, partition: value % partitions }));
  await withProducer({}, (producer) => producer.send({ topic, messages }));
  return topic;
}

async function running(consumer, topics, run) {
  await consumer.connect();
  await consumer.subscribe({ topics, fromBeginning: true });
  await consumer.run(run);
  return consumer;
}

async function committed(groupId, topic) {
  const [{ partitions }] = await withAdmin((admin) => admin.fetchOffsets({ groupId, topics: [topic] }));
  return partitions.map(({ offset }) => offset);
}

/** What was not resolved comes again; a batch that a seek has overtaken knows that it is stale; pausing ends a batch. */
async function resolves() {
  const topic = await filledTopic("resolves", 10);
  const groupId = unique("resolver");
  const firsts = [];
  const read = [];
  const all = until(() => read.length === 14);
  const consumer = newConsumer({ groupId });
  const take = async ({ batch, resolveOffset, heartbeat, uncommittedOffsets, commitOffsetsIfNecessary }, count) => {
    for (const { offset } of batch.messages.slice(0, count)) {
      read.push(offset);
      resolveOffset(offset);
      await heartbeat();
    }
    const offsets = uncommittedOffsets();
    await commitOffsetsIfNecessary(offsets);
    return offsets.topics[0].partitions[0].offset;
  };
  const eachBatch = async (payload) => {
    const { batch, pause, isRunning, isStale } = payload;
    firsts.push(batch.firstOffset());
    assert.ok(isRunning() && !isStale() && !batch.isEmpty());
    assert.deepEqual([batch.topic, batch.partition, batch.highWatermark, batch.lastOffset(), batch.offsetLag()], [topic, 0, "10", "9", "0"]);
    if (firsts.length === 1) {
      assert.equal(await take(payload, 5), "5");
      assert.deepEqual(await committed(groupId, topic), ["5"]);
    } else if (firsts.length === 2) {
      consumer.seek({ topic, partition: 0, offset: "1" });
      assert.ok(isStale());
    } else {
      await take(payload);
      const resume = pause();
      assert.deepEqual(consumer.paused(), [{ topic, partitions: [0] }]);
      resume();
      assert.deepEqual(consumer.paused(), []);
    }
    all.check();
  };
  await running(consumer, [topic], { eachBatchAutoResolve: false, eachBatch });
  await all.done;
  await consumer.disconnect();
  assert.deepEqual(firsts, ["0", "5", "1"]);
  assert.deepEqual(read, [...numbers(0, 5), ...numbers(1, 10)]);
}

/** Stopped, it has left the group; run again, it goes on. The events tell of each step. */
async function stopsAndStarts() {
  const topic = await filledTopic("stops", 5);
  const consumer = newConsumer({ groupId: unique("stopper") });
  const events = new Set();
  for (const [name, type] of Object.entries(consumer.events)) consumer.on(type, () => events.add(name));
  const beaten = new Promise((resolve) => consumer.on(consumer.events.HEARTBEAT, resolve));
  const read = [];
  let enough = until(() => read.length === 5);
  const run = {
    eachMessage: async ({ message, heartbeat }) => {
      read.push(message.offset);
      await heartbeat();
      enough.check();
    },
  };
  await running(consumer, [topic], run);
  await enough.done;
  await beaten;
  const { state, protocol, members } = await consumer.describeGroup();
  assert.deepEqual([state, protocol, members.length], ["Stable", "RoundRobinAssigner", 1]);
  await consumer.stop();
  assert.deepEqual((await consumer.describeGroup()).state, "Empty");

  await withProducer({}, (producer) => producer.send({ topic, messages: [{ value: "after" }] }));
  enough = until(() => read.length === 6);
  await consumer.run(run);
  await enough.done;
  assert.deepEqual(read, numbers(0, 6));
  await consumer.disconnect();
  const expected = ["CONNECT", "GROUP_JOIN", "FETCH_START", "FETCH", "START_BATCH_PROCESS", "END_BATCH_PROCESS", "HEARTBEAT"];
  expected.push("COMMIT_OFFSETS", "REQUEST", "STOP", "DISCONNECT");
  assert.deepEqual(expected.filter((name) => !events.has(name)), []);
  assert.ok(!events.has("CRASH") && !events.has("REQUEST_TIMEOUT"));
}

/** After a number of messages, while the batch is still being worked on. */
async function commitsOftenEnough() {
  const topic = await filledTopic("often", 10);
  const groupId = unique("often");
  const seen = [];
  const all = until(() => seen.length === 10);
  const consumer = newConsumer({ groupId });
  await running(consumer, [topic], {
    autoCommitThreshold: 4,
    eachMessage: async ({ message }) => {
      if (message.offset === "9") assert.deepEqual(await committed(groupId, topic), ["8"]);
      seen.push(message.offset);
      all.check();
    },
  });
  await all.done;
  await consumer.disconnect();
  assert.deepEqual(await committed(groupId, topic), ["10"]);
}

/** Each partition's first batch waits for the other's. */
async function readsPartitionsAtOnce() {
  const topic = await filledTopic("at-once", 4, 2);
  const started = new Set();
  const both = until(() => started.size === 2);
  const consumer = newConsumer({ groupId: unique("at-once") });
  await running(consumer, [topic], {
    partitionsConsumedConcurrently: 2,
    eachBatch: async ({ batch }) => {
      started.add(batch.partition);
      both.check();
      await both.done;
    },
  });
  await both.done;
  await consumer.disconnect();
}

async function subscribesByPattern() {
  const name = unique("pattern");
  const topics = [`${name}-a`, `${name}-b`];
  await withAdmin((admin) => admin.createTopics({ topics: [...topics, unique("other")].map((topic) => ({ topic })) }));
  const topicMessages = topics.map((topic) => ({ topic, messages: [{ value: topic }] }));
  await withProducer({}, (producer) => producer.sendBatch({ topicMessages }));
  const seen = [];
  const all = until(() => seen.length === 2);
  const consumer = newConsumer({ groupId: unique("pattern") });
  await running(consumer, [new RegExp(`^${name}`)], {
    eachMessage: async ({ topic }) => {
      seen.push(topic);
      all.check();
    },
  });
  await all.done;
  await consumer.disconnect();
  assert.deepEqual(seen.sort(), topics);
}

/** The records at its commit were deleted: it goes on with the first that is left. */
async function findsItsCommitGone() {
  const topic = await filledTopic("gone", 10);
  const groupId = unique("late");
  const read = async (count, work) => {
    const seen = [];
    const enough = until(() => seen.length >= count);
    const consumer = newConsumer({ groupId });
    const eachMessage = async ({ message }) => {
      seen.push(message.offset);
      enough.check();
    };
    await running(consumer, [topic], { autoCommit: false, eachMessage });
    await enough.done;
    await work?.(consumer);
    await consumer.disconnect();
    return seen;
  };
  await read(10, (consumer) => consumer.commitOffsets([{ topic, partition: 0, offset: "2" }]));
  await withAdmin(async (admin) => {
    await admin.fetchTopicOffsets(topic); // deleteTopicRecords does not ask for the leader itself
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: "6" }] });
  });
  assert.deepEqual(await read(4), numbers(6, 10));
}
