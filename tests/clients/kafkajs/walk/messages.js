// Keys, values, tombstones, headers, timestamps, partitions: what is sent comes back as it was.
const { assert, createTopic, readAll, walk, withProducer } = require("./lib");

walk(async () => {
  const topic = await createTopic("messages", 3);
  const sent = [
    { partition: 0, key: "k", value: "plain" },
    { partition: 0, key: null, value: "no key" },
    { partition: 0, key: "gone", value: null },
    { partition: 0, key: "", value: "" },
    { partition: 0, key: Buffer.from([0, 255]), value: Buffer.from([1, 0, 254]) },
    { partition: 0, value: "headers", headers: { one: "1", two: ["a", "b"], binary: Buffer.from([9, 200]) } },
    { partition: 0, value: "dated", timestamp: "1700000000123" },
    { partition: 1, value: "ünïcödé ✓" },
    { partition: 2, value: "x".repeat(900_000) },
  ];

  await withProducer({}, async (producer) => {
    const answers = await producer.send({ topic, messages: sent });
    const bases = new Map(answers.map((answer) => [answer.partition, answer.baseOffset]));
    assert.deepEqual([...bases].sort(), [[0, "0"], [1, "0"], [2, "0"]]);
    assert.ok(answers.every((answer) => answer.errorCode === 0));
    const [next] = await producer.send({ topic, messages: [{ partition: 1, value: "second" }] });
    assert.equal(next.baseOffset, "1");
  });

  const got = await readAll(topic, sent.length + 1);
  const zero = got.filter((message) => message.partition === 0);
  assert.deepEqual(zero.map((message) => message.offset), ["0", "1", "2", "3", "4", "5", "6"]);
  const text = (bytes) => (bytes === null ? null : bytes.toString());
  assert.deepEqual(zero.slice(0, 4).map((message) => [text(message.key), text(message.value)]), [
    ["k", "plain"],
    [null, "no key"],
    ["gone", null],
    ["", ""],
  ]);
  assert.deepEqual([zero[4].key, zero[4].value], [sent[4].key, sent[4].value]);
  const { one, two, binary } = zero[5].headers;
  assert.deepEqual([text(one), two.map(text), binary], ["1", ["a", "b"], sent[5].headers.binary]);
  assert.equal(zero[6].timestamp, "1700000000123");
  const one_ = got.filter((message) => message.partition === 1).map((message) => text(message.value));
  assert.deepEqual(one_, ["ünïcödé ✓", "second"]);
  const [large] = got.filter((message) => message.partition === 2);
  assert.equal(text(large.value), sent[8].value);
});
