// What the walks share: clients for BOOTSTRAP, and reading what is there.
const assert = require("node:assert/strict");
const { Kafka, logLevel } = require("@confluentinc/kafka-javascript").KafkaJS;
const { unique, until, walk } = require("../../walk.js");

const kafka = new Kafka({ kafkaJS: { clientId: "walk", brokers: [process.env.BOOTSTRAP], logLevel: logLevel.NOTHING } });

/** A producer that does not wait for more messages. */
const newProducer = (options, outer) => kafka.producer({ kafkaJS: options, "linger.ms": 0, ...outer });

/** A consumer that hears soon of a rebalance, and of messages that come later. */
const newConsumer = (options, outer) =>
  kafka.consumer({
    kafkaJS: { fromBeginning: true, heartbeatInterval: 100, maxWaitTimeInMs: 100, ...options },
    "topic.metadata.refresh.interval.ms": 100,
    ...outer,
  });

async function withClient(client, work) {
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.disconnect();
  }
}
const withAdmin = (work) => withClient(kafka.admin(), work);
const withProducer = (options, work) => withClient(newProducer(options), work);

/** A topic with `numPartitions`, and its name. */
async function createTopic(name, numPartitions = 1) {
  const topic = unique(name);
  await withAdmin((admin) => admin.createTopics({ topics: [{ topic, numPartitions }] }));
  return topic;
}

/** The first `count` messages of `topic`. */
async function readAll(topic, count) {
  const messages = [];
  const enough = until(() => messages.length >= count);
  await withClient(newConsumer({ groupId: unique("reader") }), async (consumer) => {
    await consumer.subscribe({ topic });
    await consumer.run({
      eachMessage: async ({ partition, message }) => {
        messages.push({ partition, ...message });
        enough.check();
      },
    });
    await enough.done;
  });
  assert.equal(messages.length, count);
  return messages;
}

/** The code of the (first) error that `promise` is rejected with. */
async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    const [first] = error.errors ?? error.partitions?.map(({ error }) => error) ?? [error];
    return first.code;
  }
  assert.fail("should have been refused");
}

module.exports = { assert, createTopic, newConsumer, newProducer, readAll, refusal, unique, until, walk, withAdmin, withClient, withProducer };
