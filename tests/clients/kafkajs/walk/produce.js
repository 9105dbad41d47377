// The producer's ways of sending: acks, batches of several topics, keys to partitions, idempotence, a missing topic.
const { Partitioners } = require("kafkajs");
const { assert, createTopic, readAll, rejection, unique, walk, withAdmin, withProducer } = require("./lib");

const values = (messages) => messages.map((message) => message.value.toString());

walk(async () => {
  const [one, two] = [await createTopic("one", 4), await createTopic("two")];

  await withProducer({ createPartitioner: Partitioners.DefaultPartitioner }, async (producer) => {
    const answers = await producer.sendBatch({
      topicMessages: [
        { topic: one, messages: Array.from({ length: 40 }, (_, n) => ({ key: `key ${n % 8}`, value: `${n}` })) },
        { topic: two, messages: [{ value: "acks all" }] },
      ],
    });
    assert.deepEqual([...new Set(answers.map((answer) => answer.topicName))].sort(), [one, two].sort());
    await producer.send({ topic: two, acks: 1, messages: [{ value: "acks 1" }] });
    assert.deepEqual(await producer.send({ topic: two, acks: 0, messages: [{ value: "acks 0" }] }), []);
    // Requests of one connection are carried out in their order, so this one follows the unanswered one.
    const [last] = await producer.send({ topic: two, messages: [{ value: "last" }] });
    assert.equal(last.baseOffset, "3");
  });
  assert.deepEqual(values(await readAll(two, 4)), ["acks all", "acks 1", "acks 0", "last"]);
  const places = new Map();
  for (const { key, partition, value } of await readAll(one, 40)) {
    const place = places.get(key.toString()) ?? { partition, values: [] };
    assert.equal(place.partition, partition, "a key stays in its partition");
    place.values.push(Number(value.toString()));
    places.set(key.toString(), place);
  }
  for (const { values } of places.values()) assert.deepEqual(values, [...values].sort((a, b) => a - b));

  const exact = await createTopic("exact");
  await withProducer({ idempotent: true, maxInFlightRequests: 1 }, async (producer) => {
    assert.ok(producer.isIdempotent());
    const requests = [];
    producer.on(producer.events.REQUEST, ({ payload }) => requests.push(payload.apiName));
    for (let n = 0; n < 20; n++) await producer.send({ topic: exact, messages: [{ value: `${n}` }] });
    assert.equal(requests.filter((name) => name === "Produce").length, 20);
  });
  assert.deepEqual(values(await readAll(exact, 20)), Array.from({ length: 20 }, (_, n) => `${n}`));

  // A missing topic is made by the first producer that names it, unless that producer says not to.
  const made = unique("made");
  await withProducer({ allowAutoTopicCreation: true }, (producer) => producer.send({ topic: made, messages: [{ value: "first" }] }));
  assert.deepEqual(values(await readAll(made, 1)), ["first"]);
  const missing = unique("missing");
  const refused = await withProducer({ allowAutoTopicCreation: false, retry: { retries: 1, initialRetryTime: 10 } }, (producer) =>
    rejection(producer.send({ topic: missing, messages: [{ value: "never" }] })),
  );
  assert.equal(refused.type ?? refused.cause?.type, "UNKNOWN_TOPIC_OR_PARTITION");
  assert.ok(!(await withAdmin((admin) => admin.listTopics())).includes(missing));

  // Larger than max.message.bytes is refused, and the producer goes on.
  await withProducer({}, async (producer) => {
    const tooLarge = await rejection(producer.send({ topic: two, messages: [{ value: "x".repeat(1_048_600) }] }));
    assert.equal(tooLarge.type, "MESSAGE_TOO_LARGE");
    const [next] = await producer.send({ topic: two, messages: [{ value: "goes on" }] });
    assert.equal(next.baseOffset, "4");
  });
  const badName = await withProducer({ retry: { retries: 0 } }, (producer) =>
    rejection(producer.send({ topic: "no spaces allowed", messages: [{ value: "never" }] })),
  );
  assert.equal(badName.type ?? badName.cause?.type, "INVALID_TOPIC_EXCEPTION");
});
