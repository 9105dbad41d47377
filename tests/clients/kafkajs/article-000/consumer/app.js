// Works through the queue one message at a time, and commits each when it is done.
const { setTimeout: work } = require("node:timers/promises");
const { TOPIC, connect, run } = require("../queue");

const WORK_MS = Number(process.env.WORK_MS ?? 2000);
let count = 0;

run(async () => {
  const kafka = await connect("consumer");
  const consumer = kafka.consumer({ groupId: "workers", maxWaitTimeInMs: 500 });
  // Leaves the group properly, so that whoever comes next need not wait for a time-out.
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => consumer.disconnect().then(() => process.exit(0)));
  }
  await consumer.connect();
  await consumer.subscribe({ topic: TOPIC, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ topic, partition, message, heartbeat }) => {
      await work(WORK_MS);
      count++;
      console.log(`[ RECEIVED: ${message.value} | COUNT: ${count} ]`);
      await consumer.commitOffsets([{ topic, partition, offset: (BigInt(message.offset) + 1n).toString() }]);
      await heartbeat();
    },
  });
});
