// Loaded before an article's program (`node --require`): the programs name localhost:9092, where this test's
// broker is not. Connections to it go to BOOTSTRAP instead; the programs stay as they were published.
const net = require("node:net");

const [host, port] = process.env.BOOTSTRAP.split(":");
const connect = net.connect;

net.connect = (options, ...rest) => {
  const published = options.host === "localhost" && options.port === 9092;
  return connect(published ? { ...options, host, port: Number(port) } : options, ...rest);
};
