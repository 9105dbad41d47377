// A consumer's position: seek, pause and resume, manual commits with metadata, the committed offset after a return.
const { assert, createTopic, newConsumer, unique, until, walk, withAdmin, withProducer } = require("./lib");

/** Runs a consumer on `topic` and hands each message's offset to `onOffset`. */
async function consume(topic, groupId, options, onOffset) {
  const consumer = newConsumer({ groupId });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    ...options,
    eachMessage: async ({ partition, message }) => onOffset(Number(message.offset), partition, consumer),
  });
  return consumer;
}

walk(async () => {
  const topic = await createTopic("positions", 2);
  await withProducer({}, (producer) =>
    producer.send({
      topic,
      messages: Array.from({ length: 20 }, (_, n) => ({ partition: n % 2, value: `${n}`, timestamp: `${1000 + n}` })),
    }),
  );

  // seek: back to 3 in partition 0 once its end was reached.
  const seen = [];
  const sought = until(() => seen.length === 27);
  const seeker = await consume(topic, unique("seeker"), {}, async (offset, partition, consumer) => {
    seen.push([partition, offset]);
    if (partition === 0 && offset === 9 && seen.filter(([p, o]) => p === 0 && o === 9).length === 1) {
      consumer.seek({ topic, partition: 0, offset: "3" });
    }
    sought.check();
  });
  await sought.done;
  await seeker.disconnect();
  const zero = seen.filter(([partition]) => partition === 0).map(([, offset]) => offset);
  assert.deepEqual(zero, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 3, 4, 5, 6, 7, 8, 9]);

  // pause: of the partition that comes first nothing follows its first message until it is resumed.
  const order = [];
  const seenOf = (partition) => order.filter((other) => other === partition).length;
  const otherRead = until(() => order.length > 0 && seenOf(1 - order[0]) === 10);
  const allRead = until(() => order.length === 20);
  const pauser = await consume(topic, unique("pauser"), {}, async (offset, partition, consumer) => {
    order.push(partition);
    if (order.length === 1) {
      consumer.pause([{ topic, partitions: [partition] }]);
      assert.deepEqual(consumer.paused(), [{ topic, partitions: [partition] }]);
    }
    otherRead.check();
    allRead.check();
  });
  await otherRead.done;
  assert.equal(seenOf(order[0]), 1);
  pauser.resume([{ topic, partitions: [order[0]] }]);
  await allRead.done;
  await pauser.disconnect();

  // Manual commits: the next member starts where the last one committed, not where it had read to.
  const groupId = unique("committer");
  const read = [];
  const allSeen = until(() => read.length === 20);
  const committer = await consume(topic, groupId, { autoCommit: false }, async (offset, partition) => {
    read.push([partition, offset]);
    allSeen.check();
  });
  await allSeen.done;
  await committer.commitOffsets([
    { topic, partition: 0, offset: "4", metadata: "four done" },
    { topic, partition: 1, offset: "10" },
  ]);
  await committer.disconnect();
  await withAdmin(async (admin) => {
    const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [topic] });
    assert.deepEqual(
      partitions.map(({ partition, offset, metadata }) => [partition, offset, metadata]).sort(),
      [[0, "4", "four done"], [1, "10", null]],
    );
  });
  const again = [];
  const rest = until(() => again.length === 6);
  const returned = await consume(topic, groupId, { autoCommit: false }, async (offset, partition) => {
    again.push([partition, offset]);
    rest.check();
  });
  await rest.done;
  await returned.disconnect();
  assert.deepEqual(again, [4, 5, 6, 7, 8, 9].map((offset) => [0, offset]));

  // The admin sets groups' offsets: at the earliest, the latest, and by timestamp. kafkajs waits 5 s for each.
  await withAdmin(async (admin) => {
    const fetched = async (groupId, options) => {
      const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [topic], ...options });
      return partitions.map(({ offset }) => offset);
    };
    const first = async () => {
      await admin.resetOffsets({ groupId, topic, earliest: true });
      assert.deepEqual(await fetched(groupId, { resolveOffsets: true }), ["0", "0"]);
    };
    const last = async (groupId) => {
      await admin.resetOffsets({ groupId, topic, earliest: false });
      assert.deepEqual(await fetched(groupId, { resolveOffsets: true }), ["10", "10"]);
    };
    const dated = async (groupId) => {
      const partitions = (await admin.fetchTopicOffsetsByTimestamp(topic, 1010)).sort((a, b) => a.partition - b.partition);
      assert.deepEqual(partitions, [{ partition: 0, offset: "5" }, { partition: 1, offset: "5" }]);
      await admin.setOffsets({ groupId, topic, partitions });
      assert.deepEqual(await fetched(groupId), ["5", "5"]);
    };
    await Promise.all([first(), last(unique("last")), dated(unique("dated"))]);
  });
});
