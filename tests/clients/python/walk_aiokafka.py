"""What users of aiokafka do first: every codec, batches, positions, groups whose members come and go, admin."""

import asyncio
import os
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, OffsetAndMetadata, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import (
    MessageSizeTooLargeError,
    OffsetOutOfRangeError,
    TopicAlreadyExistsError,
    for_code,
)

SERVER = {"bootstrap_servers": os.environ["BOOTSTRAP"]}
LIMIT_S = 60
T0 = 1_700_000_000_000


def unique(name):
    return f"{name}-{os.getpid()}-{time.time_ns()}"


async def create_topic(admin, name, partitions, **configs):
    topic = unique(name)
    answer = await admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=configs)])
    assert [error[1] for error in answer.topic_errors] == [0], answer
    return topic


async def take(consumer, count):
    """The next `count` messages."""
    async with asyncio.timeout(LIMIT_S):
        return [await consumer.getone() for _ in range(count)]


async def every_codec(admin):
    for codec in (None, "gzip", "snappy", "lz4", "zstd"):
        topic = await create_topic(admin, f"aio-{codec}", 1)
        async with AIOKafkaProducer(**SERVER, compression_type=codec, linger_ms=20, enable_idempotence=True) as producer:
            sends = [
                await producer.send(
                    topic,
                    key=None if n % 11 == 1 else f"key {n}".encode(),
                    value=None if n % 11 == 0 else f"value {n} ".encode() * 20,
                    headers=[("n", str(n).encode()), ("n", b""), ("null", None)],
                    timestamp_ms=T0 + n,
                )
                for n in range(300)
            ]
            assert [(await send).offset for send in sends] == list(range(300))
        async with AIOKafkaConsumer(topic, **SERVER, auto_offset_reset="earliest", check_crcs=True) as consumer:
            for n, message in enumerate(await take(consumer, 300)):
                assert message.key == (None if n % 11 == 1 else f"key {n}".encode()), message
                assert message.value == (None if n % 11 == 0 else f"value {n} ".encode() * 20), message
                assert message.headers == (("n", str(n).encode()), ("n", b""), ("null", None)), message
                assert (message.offset, message.timestamp, message.timestamp_type) == (n, T0 + n, 0), message


async def batches_and_sizes(admin):
    topic = await create_topic(admin, "aio-batches", 2, **{"max.message.bytes": "20000"})
    async with AIOKafkaProducer(**SERVER, acks="all", max_request_size=1_000_000) as producer:
        assert await producer.partitions_for(topic) == {0, 1}
        batch = producer.create_batch()
        while batch.append(key=b"k", value=b"x" * 100, timestamp=None) is not None:
            pass
        sent = await (await producer.send_batch(batch, topic, partition=1))
        assert sent.offset == 0
        next_one = await producer.send_and_wait(topic, b"after", partition=1)
        assert next_one.offset == batch.record_count()
        try:
            await producer.send_and_wait(topic, b"x" * 50_000, partition=1)
            raise AssertionError("accepted a message of 50 kB")
        except MessageSizeTooLargeError:
            pass
    for acks in (0, 1):
        async with AIOKafkaProducer(**SERVER, acks=acks) as producer:
            await producer.send_and_wait(topic, b"acks", partition=0)
    async with AIOKafkaConsumer(**SERVER, auto_offset_reset="earliest") as consumer:
        consumer.assign([TopicPartition(topic, 0)])
        assert [message.value for message in await take(consumer, 2)] == [b"acks", b"acks"]


async def positions(admin):
    topic = await create_topic(admin, "aio-positions", 2)
    first, second = TopicPartition(topic, 0), TopicPartition(topic, 1)
    async with AIOKafkaProducer(**SERVER) as producer:
        for n in range(100):
            await producer.send_and_wait(topic, str(n).encode(), partition=0, timestamp_ms=T0 + n * 10)
    async with AIOKafkaConsumer(**SERVER, auto_offset_reset="none", max_poll_records=7) as consumer:
        consumer.assign([first, second])
        assert await consumer.beginning_offsets([first, second]) == {first: 0, second: 0}
        assert await consumer.end_offsets([first, second]) == {first: 100, second: 0}
        found = await consumer.offsets_for_times({first: T0 + 501, second: T0})
        assert (found[first].offset, found[first].timestamp, found[second]) == (51, T0 + 510, None)

        consumer.seek(first, 90)
        consumer.seek(second, 0)
        assert [message.offset for message in await take(consumer, 3)] == [90, 91, 92]
        assert await consumer.position(first) == 93
        await consumer.seek_to_beginning(first)
        got = await consumer.getmany(first, timeout_ms=10_000)
        assert [message.offset for message in got[first]] == list(range(7)), got
        await consumer.seek_to_end(first)
        assert await consumer.position(first) == 100

        consumer.pause(first)
        assert consumer.paused() == {first}
        async with AIOKafkaProducer(**SERVER) as producer:
            for partition in (0, 1):
                await producer.send_and_wait(topic, b"while paused", partition=partition)
        assert [message.partition for message in await take(consumer, 1)] == [1]
        assert consumer.highwater(second) == 1
        consumer.resume(first)
        assert [(message.partition, message.offset) for message in await take(consumer, 1)] == [(0, 100)]

        consumer.seek(first, 5_000)
        try:
            await take(consumer, 1)
            raise AssertionError("read beyond the end")
        except OffsetOutOfRangeError:
            pass


class Changes(ConsumerRebalanceListener):
    """Commits what a member has handled before its partitions go to another."""

    def __init__(self, consumer):
        self.consumer = consumer
        self.handled = {}

    async def on_partitions_revoked(self, revoked):
        offsets = {partition: offset for partition, offset in self.handled.items() if partition in revoked}
        if offsets:
            await self.consumer.commit(offsets)

    async def on_partitions_assigned(self, assigned):
        self.handled.clear()


class Member:
    """One member of a group, with a task of its own that handles what comes."""

    async def start(self, topic, group, assignor, handled):
        settings = dict(auto_offset_reset="earliest", enable_auto_commit=False, heartbeat_interval_ms=100)
        self.consumer = AIOKafkaConsumer(
            **SERVER, **settings, group_id=group, partition_assignment_strategy=[assignor], metadata_max_age_ms=1_000
        )
        self.changes = Changes(self.consumer)
        self.consumer.subscribe([topic], listener=self.changes)
        await self.consumer.start()
        self.task = asyncio.create_task(self.handle(handled))
        return self

    async def handle(self, handled):
        while True:
            # Nothing is awaited between taking a message and counting it: a rebalance finds both or neither.
            message = await self.consumer.getone()
            handled.append(message.value)
            self.changes.handled[TopicPartition(message.topic, message.partition)] = message.offset + 1

    async def leave(self):
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.consumer.commit(self.changes.handled)
        await self.consumer.stop()


async def until(what, holds):
    async with asyncio.timeout(LIMIT_S):
        while not holds():
            await asyncio.sleep(0.01)


async def members_come_and_go(admin):
    for assignor in (RangePartitionAssignor, RoundRobinPartitionAssignor, StickyPartitionAssignor):
        topic, group = await create_topic(admin, f"aio-{assignor.name}", 4), unique("aio-members")
        handled, sent = [], 0
        async with AIOKafkaProducer(**SERVER) as producer:

            async def batch_is_handled():
                nonlocal sent
                for _ in range(40):
                    await producer.send_and_wait(topic, str(sent).encode(), partition=sent % 4)
                    sent += 1
                await until("handled", lambda: len(handled) >= sent)
                assert sorted(handled, key=int) == [str(n).encode() for n in range(sent)], handled

            def shares(*members):
                return [len(member.consumer.assignment()) for member in members]

            first = await Member().start(topic, group, assignor, handled)
            await batch_is_handled()
            second = await Member().start(topic, group, assignor, handled)
            await until("shared", lambda: shares(first, second) == [2, 2])
            await batch_is_handled()
            await first.leave()
            await until("one owner", lambda: shares(second) == [4])
            await batch_is_handled()
            described = (await admin.describe_consumer_groups([group]))[0].groups[0]
            assert described[2] == "Stable" and described[4] == assignor.name, described
            await second.leave()


async def commits(admin):
    topic, group = await create_topic(admin, "aio-commits", 1), unique("aio-committers")
    partition = TopicPartition(topic, 0)
    async with AIOKafkaProducer(**SERVER) as producer:
        for n in range(10):
            await producer.send_and_wait(topic, str(n).encode())
    settings = dict(**SERVER, group_id=group, auto_offset_reset="earliest", group_instance_id="fixed")
    async with AIOKafkaConsumer(topic, **settings, enable_auto_commit=False) as consumer:
        assert await consumer.committed(partition) is None
        await take(consumer, 10)
        await consumer.commit({partition: OffsetAndMetadata(6, "six done")})
        await consumer.seek_to_committed()
        assert [message.offset for message in await take(consumer, 4)] == [6, 7, 8, 9]
    offsets = await admin.list_consumer_group_offsets(group)
    assert offsets[partition] == OffsetAndMetadata(6, "six done"), offsets
    async with AIOKafkaConsumer(topic, **settings, auto_commit_interval_ms=50) as consumer:
        assert [message.offset for message in await take(consumer, 4)] == [6, 7, 8, 9]
    async with AIOKafkaConsumer(topic, **settings) as consumer:
        assert await consumer.committed(partition) == 10


async def administration(admin):
    topic = await create_topic(admin, "aio-admin", 1, **{"retention.ms": "70000"})
    again = await admin.create_topics([NewTopic(topic, 1, 1)])
    assert for_code(again.topic_errors[0][1]) is TopicAlreadyExistsError, again
    assert topic in await admin.list_topics()
    await admin.create_partitions({topic: NewPartitions(3)})
    described = (await admin.describe_topics([topic]))[0]
    assert len(described["partitions"]) == 3, described
    assert len((await admin.describe_cluster())["brokers"]) == 1

    of_topic = ConfigResource(ConfigResourceType.TOPIC, topic)
    entries = (await admin.describe_configs([of_topic]))[0].resources[0][4]
    assert ("retention.ms", "70000") in [entry[:2] for entry in entries], entries
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": "80000"})])
    entries = (await admin.describe_configs([of_topic]))[0].resources[0][4]
    assert ("retention.ms", "80000") in [entry[:2] for entry in entries], entries

    partition = TopicPartition(topic, 2)
    async with AIOKafkaProducer(**SERVER) as producer:
        for n in range(5):
            await producer.send_and_wait(topic, b"x", partition=2)
    assert await admin.delete_records({partition: RecordsToDelete(before_offset=3)}) == {partition: 3}
    async with AIOKafkaConsumer(topic, **SERVER, group_id=unique("aio-listed")) as consumer:
        assert await consumer.beginning_offsets([partition]) == {partition: 3}
        assert topic in await consumer.topics()
        groups = await admin.list_consumer_groups()
        assert (consumer._group_id, "consumer") in groups, groups
        assert await admin.find_coordinator(consumer._group_id) == 1
    await admin.delete_topics([topic])
    assert topic not in await admin.list_topics()


async def main():
    admin = AIOKafkaAdminClient(**SERVER)
    await admin.start()
    try:
        for walk in (every_codec, batches_and_sizes, positions, members_come_and_go, commits, administration):
            await walk(admin)
    finally:
        await admin.close()
    print("done")


asyncio.run(main())
