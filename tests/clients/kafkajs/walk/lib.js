// What the walks share: clients for BOOTSTRAP, and reading what is there.
const assert = require("node:assert/strict");
const { Kafka, logLevel } = require("kafkajs");
const { unique, until, walk } = require("../../walk.js");

const kafka = new Kafka({
  clientId: "walk",
  brokers: [process.env.BOOTSTRAP],
  logLevel: logLevel.ERROR,
  retry: { initialRetryTime: 50, retries: 10 },
});

/** A consumer that does not hold a fetch for kafkajs' 5 s: members hear of a rebalance, or leave, between fetches. */
const newConsumer = (options) => kafka.consumer({ maxWaitTimeInMs: 100, heartbeatInterval: 100, ...options });

/** A topic with `numPartitions`, and its name. */
async function createTopic(name, numPartitions = 1, configEntries = []) {
  const topic = unique(name);
  await withAdmin((admin) => admin.createTopics({ topics: [{ topic, numPartitions, configEntries }] }));
  return topic;
}

async function withAdmin(work, retry = undefined) {
  const admin = kafka.admin({ retry });
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

async function withProducer(options, work) {
  const producer = kafka.producer(options);
  await producer.connect();
  try {
    return await work(producer);
  } finally {
    await producer.disconnect();
  }
}

/** The first `count` messages of `topic`, read from its beginning by a group of their own. */
async function readAll(topic, count) {
  const consumer = newConsumer({ groupId: unique("reader") });
  const messages = [];
  const enough = until(() => messages.length >= count);
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ partition, message }) => {
        messages.push({ partition, ...message });
        enough.check();
      },
    });
    await enough.done;
  } finally {
    await consumer.disconnect();
  }
  assert.equal(messages.length, count);
  return messages;
}

/** The error that `promise` is rejected with. */
async function rejection(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  assert.fail("should have been rejected");
}

module.exports = { assert, createTopic, newConsumer, readAll, rejection, unique, until, walk, withAdmin, withProducer };
