// Keys, values, tombstones, headers, timestamps and every codec: what is sent comes back as it was.
import { compressionsAlgorithms } from "@platformatic/kafka";
import { assert, createTopic, newConsumer, readAll, refusal, take, unique, walk, withProducer } from "./lib.js";

walk(async (admin) => {
  await asTheyWereSent(admin);
  await compressed(admin);
  await acknowledged(admin);
  await streamed(admin);
  await idempotent(admin);
  await refused(admin);
});

async function asTheyWereSent(admin) {
  const topic = await createTopic(admin, "messages", 3);
  const sent = [
    { partition: 0, key: "k", value: "plain" },
    { partition: 0, value: "no key" },
    { partition: 0, key: "gone", value: null },
    { partition: 0, key: "", value: "" },
    { partition: 0, value: "headers", headers: { one: "1", two: "" } },
    { partition: 1, value: "ünïcödé ✓" },
    { partition: 2, value: "x".repeat(900_000) },
  ].map((message, n) => ({ timestamp: 1_700_000_000_000n + BigInt(n), ...message }));
  const { offsets } = await withProducer({}, (producer) =>
    producer.send({ messages: sent.map((message) => ({ topic, ...message })) }),
  );
  assert.deepEqual(offsets.map(({ partition, offset }) => [partition, offset]).sort(), [[0, 0n], [1, 0n], [2, 0n]]);

  const got = await readAll(topic, sent.length);
  for (const partition of [0, 1, 2]) {
    const there = got.filter((message) => message.partition === partition);
    const expected = sent.filter((message) => message.partition === partition);
    assert.deepEqual(there.map(({ offset }) => offset), expected.map((_, n) => BigInt(n)));
    assert.deepEqual(
      there.map(({ key, value, headers, timestamp }) => [key, value, Object.fromEntries(headers), timestamp]),
      expected.map(({ key, value, headers = {}, timestamp }) => [key, value ?? undefined, headers, timestamp]),
    );
  }

  // Keys to partitions: one key, one partition.
  await withProducer({}, async (producer) => {
    const messages = Array.from({ length: 40 }, (_, n) => ({ topic, key: `key ${n % 8}`, value: `${n}` }));
    await producer.send({ messages });
  });
  const keyed = (await readAll(topic, sent.length + 40)).filter(({ key }) => key?.startsWith("key "));
  const places = new Set(keyed.map(({ key, partition }) => `${key} in ${partition}`));
  assert.deepEqual([keyed.length, places.size], [40, 8]);
}

async function compressed(admin) {
  // zstd is Node's own, from 22.15 on.
  const codecs = Object.keys(compressionsAlgorithms).filter((name) => compressionsAlgorithms[name].available);
  const topic = await createTopic(admin, "codecs");
  const value = (codec, n) => `${codec} ${n} ${"compressible ".repeat(50)}`;
  for (const compression of codecs) {
    const messages = Array.from({ length: 100 }, (_, n) => ({ topic, value: value(compression, n) }));
    await withProducer({ compression }, (producer) => producer.send({ messages }));
  }
  const got = await readAll(topic, 100 * codecs.length);
  const expected = codecs.flatMap((codec) => Array.from({ length: 100 }, (_, n) => value(codec, n)));
  assert.deepEqual(got.map((message) => message.value), expected);
}

async function acknowledged(admin) {
  const topic = await createTopic(admin, "acks");
  await withProducer({}, async (producer) => {
    for (const acks of [1, 0, -1]) await producer.send({ acks, messages: [{ topic, value: `acks ${acks}` }] });
  });
  assert.deepEqual((await readAll(topic, 3)).map(({ value }) => value), ["acks 1", "acks 0", "acks -1"]);
}

/** The producer as a stream, which makes batches of what is written to it. */
async function streamed(admin) {
  const topic = await createTopic(admin, "streamed");
  const consumer = newConsumer(unique("reader"));
  const stream = await consumer.consume({ topics: [topic], mode: "earliest" });
  await withProducer({}, async (producer) => {
    const sink = producer.asStream({ batchSize: 50, batchTime: 10, highWaterMark: 200, reportMode: "batch" });
    const reports = [];
    sink.on("delivery-report", ({ count, result }) => reports.push([count, result.offsets[0].offset]));
    for (let n = 0; n < 120; n++) sink.write({ topic, value: `${n}` });
    await sink.close();
    assert.deepEqual(reports, [[50, 0n], [50, 50n], [20, 100n]]);
  });
  const got = await take(stream, 120);
  assert.deepEqual(got.map(({ value }) => value), Array.from({ length: 120 }, (_, n) => `${n}`));
  await consumer.close(true);
}

async function idempotent(admin) {
  const topic = await createTopic(admin, "idempotent");
  await withProducer({ idempotent: true }, async (producer) => {
    const { producerId, producerEpoch } = await producer.initIdempotentProducer({});
    assert.ok(producerId >= 0n && producerEpoch === 0);
    for (let n = 0; n < 20; n++) await producer.send({ messages: [{ topic, value: `${n}` }] });
  });
  assert.deepEqual((await readAll(topic, 20)).map(({ value }) => value), Array.from({ length: 20 }, (_, n) => `${n}`));
}

async function refused(admin) {
  const topic = await createTopic(admin, "refused");
  await withProducer({ retries: 0 }, async (producer) => {
    const missing = { messages: [{ topic: unique("missing"), value: "never" }], autocreateTopics: false };
    await assert.rejects(producer.send(missing), /Unknown topic/);
    const tooLarge = { messages: [{ topic, value: "x".repeat(1_048_600) }] };
    assert.ok((await refusal(producer.send(tooLarge))).includes("MESSAGE_TOO_LARGE"));
    const { offsets } = await producer.send({ messages: [{ topic, value: "goes on" }] });
    assert.equal(offsets[0].offset, 0n);
  });
  const made = unique("made");
  await withProducer({ autocreateTopics: true }, (producer) => producer.send({ messages: [{ topic: made, value: "first" }] }));
  assert.deepEqual((await readAll(made, 1)).map(({ value }) => value), ["first"]);
}
