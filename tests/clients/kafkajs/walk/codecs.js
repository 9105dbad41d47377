// gzip as built in, snappy, lz4 and zstd by plug-ins: each comes back, and lies compressed in the log.
const zstd = require("@bokuweb/zstd-wasm");
const { CompressionCodecs, CompressionTypes } = require("kafkajs");
const SnappyCodec = require("kafkajs-snappy");
const LZ4Codec = require("./lz4");
const { assert, createTopic, readAll, walk, withProducer } = require("./lib");

CompressionCodecs[CompressionTypes.Snappy] = SnappyCodec;
CompressionCodecs[CompressionTypes.LZ4] = LZ4Codec;
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async (encoder) => Buffer.from(zstd.compress(encoder.buffer)),
  decompress: async (bytes) => Buffer.from(zstd.decompress(bytes)),
});

walk(async () => {
  await zstd.init();
  const codecs = ["None", "GZIP", "Snappy", "LZ4", "ZSTD"];
  const topic = await createTopic("codecs");
  const value = (codec, n) => `${codec} ${n} ${"compressible ".repeat(50)}`;

  await withProducer({}, async (producer) => {
    for (const codec of codecs) {
      const messages = Array.from({ length: 100 }, (_, n) => ({ key: `${n}`, value: value(codec, n) }));
      await producer.send({ topic, compression: CompressionTypes[codec], messages });
    }
  });

  const got = await readAll(topic, 100 * codecs.length);
  const expected = codecs.flatMap((codec) => Array.from({ length: 100 }, (_, n) => value(codec, n)));
  assert.deepEqual(got.map((message) => message.value.toString()), expected);
  assert.deepEqual(got.map((message) => Number(message.offset)), expected.map((_, n) => n));
});
