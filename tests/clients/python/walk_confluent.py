"""What users of confluent-kafka do first: idempotent sends, every codec, groups, commits, offsets by time."""

import os
import time

from confluent_kafka import Consumer, ConsumerGroupState, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

SERVER = {"bootstrap.servers": os.environ["BOOTSTRAP"]}
LIMIT_S = 60


def unique(name):
    return f"{name}-{os.getpid()}-{time.time_ns()}"


def create_topic(admin, name, partitions):
    topic = unique(name)
    for future in admin.create_topics([NewTopic(topic, partitions, 1)]).values():
        future.result()
    return topic


def take(consumer, count):
    """The next `count` messages."""
    messages, deadline = [], time.monotonic() + LIMIT_S
    while len(messages) < count:
        assert time.monotonic() < deadline, f"{len(messages)} of {count} messages"
        message = consumer.poll(0.1)
        if message is not None:
            if message.error():
                raise KafkaException(message.error())
            messages.append(message)
    return messages


def codecs(admin):
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"]:
        topic = create_topic(admin, codec, 1)
        acknowledged = []
        producer = Producer({**SERVER, "enable.idempotence": True, "compression.type": codec})
        for n in range(300):
            producer.produce(
                topic,
                key=f"key {n}",
                value=f"{codec} {n} " * 20,
                headers=[("n", str(n)), ("none", None)],
                timestamp=1_700_000_000_000 + n,
                on_delivery=lambda error, message: acknowledged.append((error, message.offset())),
            )
        assert producer.flush(LIMIT_S) == 0
        assert acknowledged == [(None, n) for n in range(300)], acknowledged[:3]

        consumer = Consumer({**SERVER, "group.id": unique("none"), "check.crcs": True})
        consumer.assign([TopicPartition(topic, 0, 0)])
        for n, message in enumerate(take(consumer, 300)):
            assert (message.offset(), message.key(), message.value()) == (n, f"key {n}".encode(), (f"{codec} {n} " * 20).encode())
            assert message.headers() == [("n", str(n).encode()), ("none", None)]
            assert message.timestamp()[1] == 1_700_000_000_000 + n
        (found,) = consumer.offsets_for_times([TopicPartition(topic, 0, 1_700_000_000_100)], timeout=LIMIT_S)
        assert found.offset == 100, found
        assert consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=LIMIT_S) == (0, 300)
        consumer.close()


def groups(admin):
    topic, group = create_topic(admin, "group", 2), unique("readers")
    producer = Producer(SERVER)
    for n in range(20):
        producer.produce(topic, str(n), partition=n % 2)
    assert producer.flush(LIMIT_S) == 0

    settings = {**SERVER, "group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False}
    first = Consumer(settings)
    first.subscribe([topic])
    messages = take(first, 20)
    assert sorted(int(message.value()) for message in messages) == list(range(20))
    third = next(message for message in messages if message.partition() == 1 and message.offset() == 3)
    first.commit(message=third, asynchronous=False)
    described = admin.describe_consumer_groups([group])[group].result()
    assert described.state == ConsumerGroupState.STABLE and len(described.members) == 1
    first.close()

    second = Consumer(settings)
    second.subscribe([topic])
    again = sorted((message.partition(), message.offset()) for message in take(second, 16))
    assert again == [(0, n) for n in range(10)] + [(1, n) for n in range(4, 10)], again
    second.close()
    listed = [found.group_id for found in admin.list_consumer_groups().result().valid]
    assert group in listed


def administration(admin):
    topic = create_topic(admin, "admin", 1)
    producer = Producer(SERVER)
    for n in range(10):
        producer.produce(topic, str(n))
    assert producer.flush(LIMIT_S) == 0
    partition = TopicPartition(topic, 0)
    deleted = admin.delete_records([TopicPartition(topic, 0, 4)])[partition].result()
    assert deleted.low_watermark == 4
    offset = lambda spec: admin.list_offsets({partition: spec})[partition].result().offset
    assert (offset(OffsetSpec.earliest()), offset(OffsetSpec.latest())) == (4, 10)
    cluster = admin.describe_cluster().result()
    assert [f"{node.host}:{node.port}" for node in cluster.nodes] == [os.environ["BOOTSTRAP"]]
    admin.delete_topics([topic])[topic].result()
    assert topic not in admin.list_topics(timeout=LIMIT_S).topics


def main():
    admin = AdminClient(SERVER)
    codecs(admin)
    groups(admin)
    administration(admin)
    print("done")


main()
