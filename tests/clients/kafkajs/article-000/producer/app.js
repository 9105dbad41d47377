const { run } = require("../queue");
const send = require("../send");

run(() => send("producer", 1000));
