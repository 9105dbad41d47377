const { Kafka } = require('kafkajs');

const kafka = new Kafka({ clientId: 'order-app', brokers: ['localhost:9092'] });

// Producer: Send order to queue
const producer = kafka.producer();
async function produceOrder() {
  await producer.connect();
  const order = {
    order_id: '12345',
    customer_id: 'C789',
    items: [{ product_id: 'P101', quantity: 2 }],
    total: 99.99,
    timestamp: '2025-07-30T18:14:00Z'
  };
  await producer.send({
    topic: 'order-queue',
    messages: [{ value: JSON.stringify(order) }]
  });
  console.log('Order sent to queue');
  await producer.disconnect();
}
produceOrder().catch(err => console.error('Producer error:', err));

// Consumer: Process orders
const consumer = kafka.consumer({ groupId: 'order-processors' });
async function consumeOrders() {
  await consumer.connect();
  await consumer.subscribe({ topic: 'order-queue', fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => {
      const order = JSON.parse(message.value.toString());
      console.log(`Processing order ${order.order_id}...`);
      // Process order
    }
  });
}
consumeOrders().catch(err => console.error('Consumer error:', err));
