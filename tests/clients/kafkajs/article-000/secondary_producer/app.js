const { run } = require("../queue");
const send = require("../send");

run(() => send("secondary_producer", 1500));
