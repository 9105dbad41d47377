// The library's other interface, by events and callbacks: delivery reports, flowing and polled consumption, queries.
const Kafka = require("@confluentinc/kafka-javascript");
const { promisify } = require("node:util");
const { assert, createTopic, unique, walk } = require("./lib");

const LIMIT_MS = 30_000;
const server = { "bootstrap.servers": process.env.BOOTSTRAP };

const event = (client, name) => new Promise((resolve) => client.once(name, resolve));
const call = (client, method, ...values) => promisify(client[method].bind(client))(...values);
async function connected(client) {
  await call(client, "connect", {});
  return client;
}

walk(async () => {
  const topic = await createTopic("callbacks");
  await produce(topic);
  await flow(topic);
  await poll(topic);
  await stream(topic);
});

async function produce(topic) {
  const producer = await connected(new Kafka.Producer({ ...server, dr_cb: true, "linger.ms": 5 }));
  producer.setPollInterval(10);
  const reports = [];
  const all = new Promise((resolve) =>
    producer.on("delivery-report", (error, { offset, opaque }) => {
      assert.ifError(error);
      reports.push([offset, opaque]);
      if (reports.length === 50) resolve();
    }),
  );
  for (let n = 0; n < 50; n++) producer.produce(topic, 0, Buffer.from(`${n}`), `key ${n}`, 1000 + n, n, [{ n: `${n}` }]);
  await call(producer, "flush", LIMIT_MS);
  await all;
  assert.deepEqual(reports, Array.from({ length: 50 }, (_, n) => [n, n]));
  const { topics } = await call(producer, "getMetadata", { topic, timeout: LIMIT_MS });
  assert.equal(topics.find(({ name }) => name === topic).partitions.length, 1);
  assert.deepEqual(await call(producer, "queryWatermarkOffsets", topic, 0, LIMIT_MS), { lowOffset: 0, highOffset: 50 });
  await call(producer, "disconnect");
}

async function newConsumer(options) {
  const settings = { ...server, "group.id": unique("group"), "enable.auto.commit": false, ...options };
  const consumer = new Kafka.KafkaConsumer(settings, { "auto.offset.reset": "earliest" });
  consumer.setDefaultConsumeTimeout(100);
  return connected(consumer);
}

async function flow(topic) {
  const consumer = await newConsumer({ offset_commit_cb: true });
  const messages = [];
  const all = new Promise((resolve) => consumer.on("data", (message) => messages.push(message) === 50 && resolve()));
  consumer.subscribe([topic]);
  consumer.consume();
  await all;
  assert.deepEqual(messages.map(({ key, timestamp }) => [`${key}`, timestamp]), messages.map((_, n) => [`key ${n}`, 1000 + n]));
  assert.deepEqual(messages[7].headers, [{ n: Buffer.from("7") }]);

  const committed = event(consumer, "offset.commit");
  consumer.commitMessage(messages[29]);
  await committed;
  consumer.commitSync([{ topic, partition: 0, offset: 31, metadata: "in step" }]);
  const [{ offset, metadata }] = await call(consumer, "committed", [{ topic, partition: 0 }], LIMIT_MS);
  assert.deepEqual([offset, metadata], [31, "in step"]);
  await call(consumer, "disconnect");
}

/** Assigned by hand: batches when asked for, seeking, pausing, offsets by time. */
async function poll(topic) {
  const consumer = await newConsumer();
  const place = { topic, partition: 0 };
  const offsets = async (count) => {
    const read = [];
    while (read.length < count) read.push(...(await call(consumer, "consume", count - read.length)));
    return read.map(({ offset }) => offset);
  };
  consumer.assign([{ ...place, offset: 40 }]);
  assert.deepEqual(await offsets(3), [40, 41, 42]);
  await call(consumer, "seek", { ...place, offset: 10 }, LIMIT_MS);
  assert.deepEqual(await offsets(2), [10, 11]);
  consumer.pause([place]);
  assert.deepEqual(await call(consumer, "consume", 1), []);
  consumer.resume([place]);
  assert.deepEqual(await offsets(1), [12]);
  const [dated] = await call(consumer, "offsetsForTimes", [{ ...place, offset: 1020 }], LIMIT_MS);
  assert.equal(dated.offset, 20);
  assert.deepEqual(consumer.position([place]).map(({ offset }) => offset), [13]);
  await call(consumer, "disconnect");
}

async function stream(topic) {
  const options = { ...server, "group.id": unique("stream") };
  const readable = Kafka.createReadStream(options, { "auto.offset.reset": "earliest" }, { topics: [topic] });
  const values = [];
  for await (const { value } of readable) if (values.push(`${value}`) === 50) break;
  assert.deepEqual(values, Array.from({ length: 50 }, (_, n) => `${n}`));
}
