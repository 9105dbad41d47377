import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.TreeMap;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Field;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.Struct;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;

/**
 * Writes messages as Kafka's own classes write them, one a line:
 *
 *     Produce 3 request full 00056261736532...
 *
 * for every API on a broker's listener, version and direction, filled in three ways. A message is laid
 * out by the version's schema, read by the generated class and written by it again.
 */
public class GoldenBytes {
    enum Filling {
        /** Every field set, two elements an array, every tagged field present. */
        full,
        /** Null wherever null may be, one element an array, no tagged field. */
        nulls,
        /** Zero, the empty string, no elements, no tagged field. */
        empty
    }

    static PrintStream out;
    static int counter;

    public static void main(String[] args) throws Exception {
        out = new PrintStream(args[0]);
        for (short version : new short[] {1, 2}) {
            all("RequestHeader", version, "request", new RequestHeaderData(), RequestHeaderData.SCHEMAS[version]);
        }
        for (short version : new short[] {0, 1}) {
            all("ResponseHeader", version, "response", new ResponseHeaderData(), ResponseHeaderData.SCHEMAS[version]);
        }
        for (ApiMessageType api : ApiMessageType.values()) {
            if (!api.listeners().contains(ApiMessageType.ListenerType.BROKER)) continue;
            for (short v = api.lowestSupportedVersion(); v <= api.highestSupportedVersion(false); v++) {
                all(api.name, v, "request", api.newRequest(), api.requestSchemas()[v]);
                all(api.name, v, "response", api.newResponse(), api.responseSchemas()[v]);
            }
        }
        out.close();
    }

    static void all(String name, short version, String direction, ApiMessage message, Schema schema) {
        String before = "";
        for (Filling filling : Filling.values()) {
            String hex = HexFormat.of().formatHex(write(message, version, schema, filling));
            if (!hex.equals(before)) {
                out.printf("%s %d %s %s %s%n", name, version, direction, filling, hex.isEmpty() ? "-" : hex);
            }
            before = hex;
        }
    }

    static byte[] write(ApiMessage message, short version, Schema schema, Filling filling) {
        counter = 0;
        Struct struct = fill(schema, filling);
        ByteBuffer laidOut = ByteBuffer.allocate(struct.sizeOf());
        struct.writeTo(laidOut);
        laidOut.flip();
        message.read(new ByteBufferAccessor(laidOut), version);
        if (laidOut.hasRemaining()) throw new IllegalStateException(message + ": bytes left");
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer written = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(written), cache, version);
        return written.array();
    }

    static Struct fill(Schema schema, Filling filling) {
        Struct struct = new Struct(schema);
        for (BoundField field : schema.fields()) {
            struct.set(field, value(field.def.name, field.def.type, filling));
        }
        return struct;
    }

    static Object value(String name, Type type, Filling filling) {
        counter++;
        if (type instanceof TaggedFields tagged) return tags(tagged, filling);
        if (type.isNullable() && filling == Filling.nulls) return null;
        if (type.isArray()) return elements(name, type.arrayElementType().get(), filling);
        if (type instanceof Schema schema) return fill(schema, filling);
        boolean empty = filling == Filling.empty;
        return switch (type.toString().replace("COMPACT_", "").replace("NULLABLE_", "")) {
            case "BOOLEAN" -> !empty;
            case "INT8" -> (byte) (empty ? 0 : counter % 128);
            case "INT16" -> (short) (empty ? 0 : counter);
            case "UINT16" -> empty ? 0 : 60000 + counter;
            case "INT32" -> empty ? 0 : 100_000 + counter;
            case "UINT32" -> empty ? 0L : 3_000_000_000L + counter;
            case "INT64" -> empty ? 0L : 10_000_000_000L + counter;
            case "FLOAT64" -> empty ? 0.0 : counter / 4.0;
            case "UUID" -> empty ? Uuid.ZERO_UUID : new Uuid(0x0102030405060708L, counter);
            case "STRING" -> empty ? "" : name.substring(0, Math.min(8, name.length())) + counter;
            case "BYTES" -> ByteBuffer.wrap(empty ? new byte[0] : new byte[] {1, 2, (byte) counter});
            case "RECORDS" -> empty ? MemoryRecords.EMPTY
                : MemoryRecords.withRecords(Compression.NONE, new SimpleRecord(counter, "k".getBytes(), "value".getBytes()));
            default -> throw new IllegalStateException(name + " of type " + type);
        };
    }

    static Object[] elements(String name, Type each, Filling filling) {
        Object[] elements = new Object[switch (filling) { case full -> 2; case nulls -> 1; case empty -> 0; }];
        for (int i = 0; i < elements.length; i++) elements[i] = value(name, each, filling);
        return elements;
    }

    static Object tags(TaggedFields tagged, Filling filling) {
        TreeMap<Integer, Object> values = new TreeMap<>();
        if (filling != Filling.full) return values;
        for (var field : tagged.fields().entrySet()) {
            Field def = field.getValue();
            values.put(field.getKey(), value(def.name, def.type, filling));
        }
        return values;
    }
}
