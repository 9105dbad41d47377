// A stream's position: where it starts, pauses, what is committed, and offsets by timestamp.
import { assert, createTopic, newConsumer, take, unique, walk, withProducer } from "./lib.js";

const places = (messages) => messages.map(({ partition, offset }) => [partition, Number(offset)]).sort(([p, a], [q, b]) => p - q || a - b);
const range = (partition, from, to) => Array.from({ length: to - from }, (_, n) => [partition, from + n]);

walk(async (admin) => {
  const topic = await createTopic(admin, "positions", 2);
  const send = (messages) => withProducer({}, (producer) => producer.send({ messages: messages.map((message) => ({ topic, ...message })) }));
  await send(Array.from({ length: 20 }, (_, n) => ({ partition: n % 2, value: `${n}`, timestamp: 1000n + BigInt(n) })));

  await offsetsByTime(topic);
  await starts(topic, send);
  await pauses(topic);
  await commits(topic);
  await commitsByItself(topic);
});

async function offsetsByTime(topic) {
  const consumer = newConsumer(unique("asker"));
  const offsets = async (timestamp) => (await consumer.listOffsets({ topics: [topic], timestamp })).get(topic);
  assert.deepEqual(await offsets(-2n), [0n, 0n]);
  assert.deepEqual(await offsets(-1n), [10n, 10n]);
  assert.deepEqual(await offsets(1009n), [5n, 4n]);
  assert.deepEqual(await offsets(9999n), [-1n, -1n]);
  const dated = await consumer.listOffsetsWithTimestamps({ topics: [topic], timestamp: 1009n });
  assert.deepEqual([...dated.get(topic)].sort(), [[0, { offset: 5n, timestamp: 1010n }], [1, { offset: 4n, timestamp: 1009n }]]);
  await consumer.close();
}

/** From the earliest, the latest, or given offsets; to the end of some fetches. */
async function starts(topic, send) {
  const manual = newConsumer(unique("manual"));
  const offsets = [{ topic, partition: 0, offset: 3n }, { topic, partition: 1, offset: 8n }];
  const stream = await manual.consume({ topics: [topic], mode: "manual", offsets });
  assert.deepEqual(places(await take(stream, 9)), [...range(0, 3, 10), ...range(1, 8, 10)]);
  await manual.close(true);

  const bounded = newConsumer(unique("bounded"));
  const once = await bounded.consume({ topics: [topic], mode: "earliest", maxFetches: 1 });
  const read = [];
  for await (const message of once) read.push(message);
  assert.equal(read.length, 20);
  await bounded.close(true);

  const latest = newConsumer(unique("latest"));
  const following = await latest.consume({ topics: [topic], mode: "latest" });
  const next = take(following, 1);
  await send([{ partition: 1, value: "new" }]);
  assert.deepEqual((await next).map(({ value, offset }) => [value, offset]), [["new", 10n]]);
  await latest.close(true);
}

async function pauses(topic) {
  const consumer = newConsumer(unique("pauser"));
  const stream = await consumer.consume({ topics: [topic], mode: "earliest", highWaterMark: 1 });
  const first = await take(stream, 5);
  assert.ok(stream.isPaused());
  assert.deepEqual(places([...first, ...(await take(stream, 16))]), [...range(0, 0, 10), ...range(1, 0, 11)]);
  await consumer.close(true);
}

/** Manual commits: the next member starts where the last one committed, not where it had read to. */
async function commits(topic) {
  const groupId = unique("committer");
  const consume = async (consumer) =>
    consumer.consume({ topics: [topic], mode: "committed", fallbackMode: "earliest", autocommit: false });

  const committer = newConsumer(groupId);
  const messages = await take(await consume(committer), 21);
  const third = messages.find(({ partition, offset }) => partition === 0 && offset === 3n);
  await third.commit();
  await committer.commit({ offsets: [{ topic, partition: 1, offset: 11n, leaderEpoch: 0 }] });
  const committed = await committer.listCommittedOffsets({ topics: [{ topic, partitions: [0, 1] }] });
  assert.deepEqual(committed.get(topic), [4n, 11n]);
  await committer.close(true);

  const returned = newConsumer(groupId);
  const stream = await consume(returned);
  assert.deepEqual(places(await take(stream, 6)), range(0, 4, 10));
  assert.deepEqual((await returned.getLag({ topics: [topic] })).get(topic), [6n, 0n]);
  await returned.close(true);
}

async function commitsByItself(topic) {
  const groupId = unique("automatic");
  const consumer = newConsumer(groupId);
  const stream = await consumer.consume({ topics: [topic], mode: "committed", fallbackMode: "earliest" });
  const committed = new Promise((resolve) => {
    stream.on("autocommit", (error, offsets) => {
      assert.ifError(error);
      if (stream.offsetsCommitted.get(`${topic}:0`) === 10n && stream.offsetsCommitted.get(`${topic}:1`) === 11n) resolve(offsets);
    });
  });
  await take(stream, 21);
  await committed;
  assert.deepEqual((await consumer.getLag({ topics: [topic] })).get(topic), [0n, 0n]);
  await consumer.close(true);
}
