// What all three parts share: where the broker is, and the queue, which is made if it does not exist.
const { Kafka, logLevel } = require("kafkajs");

const BROKERS = (process.env.KAFKA_BROKERS ?? "localhost:9092").split(",");
const TOPIC = process.env.KAFKA_TOPIC ?? "messages";

async function connect(clientId) {
  const kafka = new Kafka({ clientId, brokers: BROKERS, logLevel: logLevel.ERROR });
  const admin = kafka.admin();
  await admin.connect();
  console.log("[ CONNECTION ESTABLISHED ]");
  await admin.createTopics({ topics: [{ topic: TOPIC }] });
  await admin.disconnect();
  return kafka;
}

/** Runs one part; its failure is the program's. */
function run(main) {
  main().catch((error) => {
    console.error(error);
    process.exit(1);
  });
}

module.exports = { TOPIC, connect, run };
