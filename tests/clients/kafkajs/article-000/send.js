// What both producers do: `COUNT` random numbers into the queue, one every `INTERVAL_MS`.
const { setTimeout: pause } = require("node:timers/promises");
const { TOPIC, connect } = require("./queue");

const COUNT = Number(process.env.COUNT ?? 50);

module.exports = async function send(clientId, defaultIntervalMs) {
  const interval = Number(process.env.INTERVAL_MS ?? defaultIntervalMs);
  const kafka = await connect(clientId);
  // Idempotent: a retried send is stored once, in its order.
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();

  for (let n = 0; n < COUNT; n++) {
    const number = Math.random().toString();
    await producer.send({ topic: TOPIC, messages: [{ key: clientId, value: number }] });
    console.log(`[ SENT:     ${number} ]`);
    await pause(interval);
  }
  await producer.disconnect();
};
