// An lz4 codec for kafkajs on lz4js. Its frames say that blocks may refer to earlier ones, which Kafka refuses;
// in a frame of one block that is never so, and the flag can say it.
const lz4 = require("lz4js");
const xxh32 = require("lz4js/xxh32");

const ONE_BLOCK_LIMIT = 4 << 20;
const FLAGS = 4;
const BLOCK_INDEPENDENT = 0x20;
const HEADER_CHECKSUM = 6;

module.exports = () => ({
  compress: async ({ buffer }) => {
    if (buffer.length > ONE_BLOCK_LIMIT) throw new Error(`${buffer.length} bytes do not fit one block`);
    const frame = Buffer.from(lz4.compress(buffer));
    frame[FLAGS] |= BLOCK_INDEPENDENT;
    frame[HEADER_CHECKSUM] = (xxh32.hash(0, frame, FLAGS, HEADER_CHECKSUM - FLAGS) >>> 8) & 0xff;
    return frame;
  },
  decompress: async (bytes) => Buffer.from(lz4.decompress(bytes)),
});
