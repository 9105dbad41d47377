const kafkajs = require("kafkajs");

const kafka = new kafkajs.Kafka({
  clientId: "my-app",
  brokers: ["localhost:9092"],
});

const topic = "kafka-node";
const consumer = kafka.consumer({ groupId: "test-group" });

const run = async () => {
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => {
      console.log(`${message.offset} # ${message.value}`);
    },
  });
};

run().catch((e) => console.error(`consumer error - ${e.message}`, e));
