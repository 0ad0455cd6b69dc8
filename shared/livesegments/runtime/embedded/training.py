"""Makes the archive: runs a broker through what clients of ours ask of one, and Java writes what that needed.

`python -m livesegments.runtime.embedded.training`; it does nothing where somebody else is at it.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from livesegments.runtime.embedded import jars
from livesegments.runtime.embedded.kafka import Kafka

NICE = 5
MAKE_S = 300.0


def main() -> None:
    os.nice(NICE)
    os.environ.pop("JDK_JAVA_OPTIONS", None)  # the archive is for all, whatever one of them may ask of Java
    with (jars.cache() / ".training").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        asyncio.run(make())


async def make() -> None:
    scratch = jars.cache() / "training"
    shutil.rmtree(scratch, ignore_errors=True)  # of one that was killed
    try:
        async with asyncio.timeout(MAKE_S), Kafka(scratch / "kafka", training=scratch / "made") as broker:
            await use(broker.address)
            assert broker.child is not None
            await broker.child.stop(patience_s=MAKE_S)
        for old in (*jars.cache().glob("*.aot"), *jars.cache().glob("*.checkpoint")):
            if old.stem != broker.archive.stem:  # of other jars, or of another Java
                old.unlink()
        (scratch / "made").rename(broker.archive)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


async def use(address: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        await admin.create_topics([NewTopic("used", 1, 1)])
        producer = AIOKafkaProducer(bootstrap_servers=address, transactional_id="used")
        async with producer, producer.transaction():
            await producer.send_and_wait("used", b"", partition=0)
        consumer = AIOKafkaConsumer(
            "used", bootstrap_servers=address, group_id="used", auto_offset_reset="earliest"
        )
        async with consumer:
            await consumer.getone()
            await consumer.commit()
    finally:
        await admin.close()


if __name__ == "__main__":
    main()
