"""What users of kafka-python do first: sends with keys and headers, a group that commits, offsets by time, admin."""

import os
import time

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.errors import TopicAlreadyExistsError

SERVER = {"bootstrap_servers": os.environ["BOOTSTRAP"]}
LIMIT_S = 60


def unique(name):
    return f"{name}-{os.getpid()}-{time.time_ns()}"


def take(consumer, count):
    """The next `count` messages.

    A poll may wait for all of the time. kafka-python 3.0.12 joins a new group before it knows the topic's partitions, and
    again once it does. If a poll times out in that second rebalance after the members were dealt their partitions
    (`need_rejoin` is false from then on) and before they are told, no later poll takes up the assignment: the consumer
    stays a member, owns nothing, and fetches nothing. With polls of 100 ms that was one run in ten on a busy machine.
    """
    messages, deadline = [], time.monotonic() + LIMIT_S
    while len(messages) < count:
        left = deadline - time.monotonic()
        assert left > 0, f"{len(messages)} of {count} messages"
        for records in consumer.poll(timeout_ms=left * 1000).values():
            messages.extend(records)
    assert len(messages) == count
    return messages


def main():
    admin = KafkaAdminClient(**SERVER)
    topic, group = unique("kafka-python"), unique("readers")
    admin.create_topics([NewTopic(topic, 2, 1)])
    try:
        admin.create_topics([NewTopic(topic, 2, 1)])
        raise AssertionError("made a topic twice")
    except TopicAlreadyExistsError:
        pass

    producer = KafkaProducer(**SERVER, enable_idempotence=True, compression_type="gzip", linger_ms=5)
    sent = [
        producer.send(
            topic,
            key=f"key {n}".encode(),
            value=f"value {n}".encode(),
            headers=[("n", str(n).encode())],
            partition=n % 2,
            timestamp_ms=1_700_000_000_000 + n,
        )
        for n in range(200)
    ]
    producer.flush(timeout=60)
    assert [future.get(timeout=60).offset for future in sent] == [n // 2 for n in range(200)]
    tombstone = producer.send(topic, key=b"key 0", value=None, partition=0).get(timeout=60)
    assert tombstone.offset == 100

    settings = dict(**SERVER, group_id=group, auto_offset_reset="earliest", enable_auto_commit=False)
    first = KafkaConsumer(topic, **settings)
    messages = take(first, 201)
    for message in messages:
        n = message.offset * 2 + message.partition
        if message.offset < 100:
            assert (message.key, message.value) == (f"key {n}".encode(), f"value {n}".encode())
            assert [tuple(header) for header in message.headers] == [("n", str(n).encode())]
            assert message.timestamp == 1_700_000_000_000 + n
        else:
            assert (message.key, message.value) == (b"key 0", None)
    partitions = [TopicPartition(topic, 0), TopicPartition(topic, 1)]
    assert first.end_offsets(partitions) == {partitions[0]: 101, partitions[1]: 100}
    assert first.beginning_offsets(partitions) == {partitions[0]: 0, partitions[1]: 0}
    assert first.offsets_for_times({partitions[1]: 1_700_000_000_100})[partitions[1]].offset == 50
    first.commit()
    assert first.committed(partitions[0]) == 101
    first.seek(partitions[1], 98)
    assert [message.offset for message in take(first, 2)] == [98, 99]
    first.close()

    producer.send(topic, b"after the first left", partition=1).get(timeout=60)
    second = KafkaConsumer(topic, **settings)
    assert [message.value for message in take(second, 1)] == [b"after the first left"]
    second.close()
    producer.close()

    admin.delete_topics([topic])
    assert topic not in admin.list_topics()
    admin.close()
    print("done")


main()
