// A consumer's position: seek, pause and resume, batches, manual commits with metadata, the committed offset after a return.
const { assert, createTopic, newConsumer, unique, until, walk, withClient, withProducer } = require("./lib");

const range = (from, to) => Array.from({ length: to - from }, (_, n) => from + n);

walk(async () => {
  const topic = await createTopic("positions", 2);
  const messages = range(0, 20).map((n) => ({ partition: n % 2, value: `${n}` }));
  await withProducer({}, (producer) => producer.send({ topic, messages }));
  await seeks(topic);
  await pauses(topic);
  await inBatches(topic);
  await commits(topic);
});

/** Runs a consumer whose messages go to `onMessage`, until `done` resolves. */
async function consume(topic, options, onMessage, done) {
  await withClient(newConsumer({ groupId: unique("reader"), ...options }), async (consumer) => {
    await consumer.subscribe({ topics: [topic] });
    await consumer.run({
      eachMessage: async ({ partition, message }) => onMessage(partition, Number(message.offset), consumer),
    });
    await done(consumer);
  });
}

/** Back to 3 in partition 0 once its end was reached. */
async function seeks(topic) {
  const zero = [];
  const sought = until(() => zero.length === 17);
  const onMessage = (partition, offset, consumer) => {
    if (partition !== 0) return;
    zero.push(offset);
    if (zero.length === 10) consumer.seek({ topic, partition, offset: "3" });
    sought.check();
  };
  await consume(topic, {}, onMessage, () => sought.done);
  assert.deepEqual(zero, [...range(0, 10), ...range(3, 10)]);
}

/** Of the partition that comes first nothing follows until it is resumed, where it had stopped. */
async function pauses(topic) {
  const seen = [];
  const otherRead = until(() => seen.length > 0 && seen.filter(([partition]) => partition !== seen[0][0]).length === 10);
  const allRead = until(() => seen.length === 20);
  const onMessage = (partition, offset, consumer) => {
    seen.push([partition, offset]);
    if (seen.length === 1) {
      consumer.pause([{ topic, partitions: [partition] }]);
      assert.deepEqual(consumer.paused(), [{ topic, partitions: [partition] }]);
    }
    otherRead.check();
    allRead.check();
  };
  await consume(topic, {}, onMessage, async (consumer) => {
    await otherRead.done;
    const [[first]] = seen;
    assert.deepEqual(seen.filter(([partition]) => partition === first), [[first, 0]]);
    consumer.resume([{ topic, partitions: [first] }]);
    await allRead.done;
    assert.deepEqual(seen.slice(11), range(1, 10).map((offset) => [first, offset]));
  });
}

/** What is resolved in a batch is what is stored for the commit. */
async function inBatches(topic) {
  const groupId = unique("batches");
  let read = 0;
  const all = until(() => read === 20);
  await withClient(newConsumer({ groupId, autoCommit: false }), async (consumer) => {
    await consumer.subscribe({ topics: [topic] });
    await consumer.run({
      eachBatchAutoResolve: false,
      eachBatch: async ({ batch, resolveOffset, heartbeat, isRunning, isStale }) => {
        assert.equal(batch.highWatermark, "10");
        for (const message of batch.messages) {
          assert.ok(isRunning() && !isStale());
          resolveOffset(message.offset);
          await heartbeat();
          read++;
        }
        all.check();
      },
    });
    await all.done;
    await consumer.commitOffsets();
    const committed = await consumer.committed();
    assert.deepEqual(committed.map(({ partition, offset }) => [partition, offset]).sort(), [[0, "10"], [1, "10"]]);
  });
}

/** The next member starts where the last one committed, not where it had read to. */
async function commits(topic) {
  const options = { groupId: unique("committer"), autoCommit: false };
  let read = 0;
  const all = until(() => read === 20);
  const onMessage = () => {
    read++;
    all.check();
  };
  await consume(topic, options, onMessage, async (consumer) => {
    await all.done;
    await consumer.commitOffsets([
      { topic, partition: 0, offset: "4", metadata: "four done" },
      { topic, partition: 1, offset: "10" },
    ]);
    const committed = (await consumer.committed()).sort((a, b) => a.partition - b.partition);
    assert.deepEqual(committed.map(({ offset }) => offset), ["4", "10"]);
    assert.equal(committed[0].metadata, "four done");
  });

  const again = [];
  const rest = until(() => again.length === 6);
  const onAgain = (partition, offset) => {
    again.push([partition, offset]);
    rest.check();
  };
  await consume(topic, options, onAgain, () => rest.done);
  assert.deepEqual(again, range(4, 10).map((offset) => [0, offset]));
}
