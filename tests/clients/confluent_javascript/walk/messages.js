// Keys, values, tombstones, headers, timestamps and every codec: what is sent comes back as it was.
const { CompressionTypes, ErrorCodes } = require("@confluentinc/kafka-javascript").KafkaJS;
const { assert, createTopic, newProducer, readAll, refusal, unique, walk, withClient, withProducer } = require("./lib");

const text = (bytes) => (bytes === null ? null : bytes.toString());
const numbers = (count) => Array.from({ length: count }, (_, n) => `${n}`);

walk(async () => {
  await asTheyWereSent();
  await compressed();
  await acknowledged();
  await inBatches();
  await refused();
});

async function asTheyWereSent() {
  const topic = await createTopic("messages", 3);
  // Made anew each time: the library puts buffers into the messages that it is given.
  const sent = () => [
    { partition: 0, key: "k", value: "plain" },
    { partition: 0, key: null, value: "no key" },
    { partition: 0, key: "gone", value: null },
    { partition: 0, key: "", value: "empty key" }, // an empty value this library reads as none
    { partition: 0, key: Buffer.from([0, 255]), value: Buffer.from([1, 0, 254]) },
    { partition: 0, value: "headers", headers: { one: "1", two: ["a", "b"], binary: Buffer.from([9, 200]) } },
    { partition: 0, value: "dated", timestamp: "1700000000123" },
    { partition: 1, value: "ünïcödé ✓" },
    { partition: 2, value: "x".repeat(900_000) },
  ];
  const answers = await withProducer({}, (producer) => producer.send({ topic, messages: sent() }));
  assert.deepEqual(answers.map(({ partition, errorCode }) => [partition, errorCode]).sort(), [[0, 0], [1, 0], [2, 0]]);

  const got = await readAll(topic, sent().length);
  const zero = got.filter(({ partition }) => partition === 0);
  assert.deepEqual(zero.map(({ offset }) => offset), numbers(7));
  assert.deepEqual(zero.slice(0, 4).map(({ key, value }) => [text(key), text(value)]), [
    ["k", "plain"],
    [null, "no key"],
    ["gone", null],
    ["", "empty key"],
  ]);
  assert.deepEqual([zero[4].key, zero[4].value], [sent()[4].key, sent()[4].value]);
  const { one, two, binary } = zero[5].headers;
  assert.deepEqual([text(one), two.map(text), binary], ["1", ["a", "b"], Buffer.from([9, 200])]);
  assert.equal(zero[6].timestamp, "1700000000123");
  assert.equal(text(got.find(({ partition }) => partition === 1).value), sent()[7].value);
  assert.equal(text(got.find(({ partition }) => partition === 2).value), sent()[8].value);
}

async function compressed() {
  const topic = await createTopic("codecs");
  const expected = [];
  for (const compression of Object.values(CompressionTypes)) {
    const values = numbers(200).map((n) => `${compression} ${n} ${"compressible ".repeat(50)}`);
    const messages = values.map((value) => ({ value }));
    await withProducer({ compression }, (producer) => producer.send({ topic, messages }));
    expected.push(...values);
  }
  assert.deepEqual((await readAll(topic, expected.length)).map(({ value }) => text(value)), expected);
}

async function acknowledged() {
  const topic = await createTopic("acks");
  for (const acks of [-1, 1, 0]) {
    await withProducer({ acks }, (producer) => producer.send({ topic, messages: [{ value: `${acks}` }] }));
  }
  assert.deepEqual((await readAll(topic, 3)).map(({ value }) => text(value)), ["-1", "1", "0"]);
}

/** Of an idempotent producer, for two topics: in order, each once, one key in one partition. */
async function inBatches() {
  const [one, two] = [await createTopic("one"), await createTopic("two", 4)];
  await withProducer({ idempotent: true }, async (producer) => {
    const keyed = numbers(400).map((n) => ({ key: `key ${n % 8}`, value: n }));
    const batch = { topicMessages: [{ topic: one, messages: numbers(1000).map((value) => ({ value })) }, { topic: two, messages: keyed }] };
    const answers = await producer.sendBatch(batch);
    assert.ok(answers.every(({ errorCode }) => errorCode === 0));
    await producer.flush();
  });
  assert.deepEqual((await readAll(one, 1000)).map(({ value }) => text(value)), numbers(1000));
  const places = (await readAll(two, 400)).map(({ key, partition }) => `${key} in ${partition}`);
  assert.equal(new Set(places).size, 8);
}

async function refused() {
  const topic = await createTopic("refused");
  await withProducer({}, async (producer) => {
    const send = (topic, value) => refusal(producer.send({ topic, messages: [{ value }] }));
    assert.equal(await send(topic, "x".repeat(1_048_600)), ErrorCodes.ERR_MSG_SIZE_TOO_LARGE);
    // librdkafka tells the broker's answer, or its own word for it, as it happens to have asked for metadata before.
    const invalid = [ErrorCodes.ERR_TOPIC_EXCEPTION, ErrorCodes.ERR__UNKNOWN_TOPIC];
    assert.ok(invalid.includes(await send("no spaces", "never")));
    const [made] = await producer.send({ topic: unique("made"), messages: [{ value: "first" }] });
    assert.equal(made.errorCode, 0);
  });
  const impatient = newProducer({ allowAutoTopicCreation: false }, { "topic.metadata.propagation.max.ms": 100 });
  await withClient(impatient, async (producer) => {
    const missing = { topic: unique("missing"), messages: [{ value: "never" }] };
    assert.equal(await refusal(producer.send(missing)), ErrorCodes.ERR_UNKNOWN_TOPIC_OR_PART);
  });
}
