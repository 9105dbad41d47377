// What the walks share: clients for BOOTSTRAP, and reading what is there.
import assert from "node:assert/strict";
import { Admin, Consumer, Producer, stringDeserializers, stringSerializers } from "@platformatic/kafka";
import { unique } from "../../walk.js";

const server = { clientId: "walk", bootstrapBrokers: [process.env.BOOTSTRAP], retries: 20, retryDelay: 50 };

export const newProducer = (options) => new Producer({ ...server, serializers: stringSerializers, ...options });

/** A consumer that hears soon of a rebalance. */
export const newConsumer = (groupId, options) =>
  new Consumer({ ...server, groupId, deserializers: stringDeserializers, maxWaitTime: 100, heartbeatInterval: 100, ...options });

/** Runs a walk with an admin client; its failure is the program's. */
export async function walk(main) {
  const admin = new Admin(server);
  await main(admin);
  await admin.close();
  console.log("done");
}

/** A topic with that many partitions, and its name. */
export async function createTopic(admin, name, partitions = 1) {
  const topic = unique(name);
  await admin.createTopics({ topics: [topic], partitions, replicas: 1 });
  return topic;
}

/** What `work` does with a producer that is closed after it. */
export async function withProducer(options, work) {
  const producer = newProducer(options);
  try {
    return await work(producer);
  } finally {
    await producer.close();
  }
}

/** The next `count` messages of `stream`, which is paused after them. */
export function take(stream, count) {
  return new Promise((resolve, reject) => {
    const messages = [];
    const onData = (message) => {
      messages.push(message);
      if (messages.length < count) return;
      stream.off("data", onData);
      stream.pause();
      resolve(messages);
    };
    stream.once("error", reject);
    stream.on("data", onData);
    stream.resume();
  });
}

/** The first `count` messages of `topic`. */
export async function readAll(topic, count, options) {
  const consumer = newConsumer(unique("reader"), options);
  const stream = await consumer.consume({ topics: [topic], mode: "earliest" });
  const messages = await take(stream, count);
  await consumer.close(true);
  return messages;
}

/** Kafka's names of the errors that `promise` is rejected with. */
export async function refusal(promise) {
  const names = (error) => [error.apiId, ...(error.errors ?? []).flatMap(names), ...(error.cause ? names(error.cause) : [])];
  try {
    await promise;
  } catch (error) {
    return names(error).filter((name) => name !== undefined);
  }
  assert.fail("should have been refused");
}

export { assert, unique };
