const Kafka = require('kafkajs').Kafka;

const kafka = new Kafka({
  clientId: 'my-app',
  brokers: ['localhost:9092']
});

const producer = kafka.producer();
const consumer = kafka.consumer({ groupId: 'my-group' });

async function produceMessage() {
  await producer.connect();
  await producer.send({
    topic: 'my-topic',
    messages: ['Hello World!']
  });
}

async function consumeMessage() {
  await consumer.connect();
  await consumer.subscribe({ topic: 'my-topic' });
  await consumer.run({
    eachMessage: async ({ topic, partition, message }) => {
      console.log(`Received message: ${message.value}`);
    }
  });
}

produceMessage();
consumeMessage();
