"""Makes the topics of `wire.topics` where they are missing, each with the settings that its purpose asks for.

`python -m livesegments.runtime.topics` makes them at the broker that the environment names.
"""

from __future__ import annotations

import asyncio
import os
import sys

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from livesegments.runtime.settings import Settings, from_environment
from livesegments.wire.topics import DEFINITIONS, EVENTS, IDENTITIES, INBOUND, MEMBERSHIPS, REJECTED

FOREVER = "-1"
KNOWN_S = 20.0
LOOK_S = 0.02


class WrongTopic(Exception):
    """A topic is there, but not as it has to be."""


def wanted(settings: Settings) -> list[NewTopic]:
    def topic(name: str, partitions: int, **config: str) -> NewTopic:
        given = {key.replace("_", "."): value for key, value in config.items()}
        return NewTopic(name, partitions, settings.replication, topic_configs=given)

    return [
        # its records' stamps are their receipts: the broker's clock, not the producers'
        topic(INBOUND, settings.partitions, message_timestamp_type="LogAppendTime"),
        # what profiles are rebuilt from when Redis is lost
        topic(EVENTS, settings.partitions, retention_ms=FOREVER),
        # stamped by the broker, so stamps ascend with the offsets and an instant finds its offset
        topic(REJECTED, 1, message_timestamp_type="LogAppendTime"),
        topic(MEMBERSHIPS, settings.partitions),
        topic(DEFINITIONS, 1, cleanup_policy="compact"),
        topic(IDENTITIES, 1, cleanup_policy="compact"),
    ]


async def create_topics(kafka: str, settings: Settings) -> None:
    """`kafka` is HOST:PORT. Those that exist are left as they are.

    Raises WrongTopic when one exists with another number of partitions than asked for: profiles would be
    sought in partitions that they are not in. Raises aiokafka.errors.KafkaError.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    try:
        await admin.start()
        topics = wanted(settings)
        response = await admin.create_topics(topics)
        for name, code, *_ in response.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise error(f"topic {name}")
        await _check(admin, topics)
    finally:
        await admin.close()


async def _check(admin: AIOKafkaAdminClient, topics: list[NewTopic]) -> None:
    """Also waits until the broker that we ask knows of them all."""
    found: dict[str, int] = {}
    async with asyncio.timeout(KNOWN_S):
        while len(found) < len(topics):
            await asyncio.sleep(LOOK_S)
            described = await admin.describe_topics([topic.name for topic in topics])
            found = {
                topic["topic"]: len(topic["partitions"]) for topic in described if not topic["error_code"]
            }
    for topic in topics:
        if (there := found[topic.name]) != topic.num_partitions:
            raise WrongTopic(
                f"topic {topic.name} has {there} partitions, not {topic.num_partitions}: "
                f"set LIVESEGMENTS_PARTITIONS={there}, or start with a new data folder"
            )


def main() -> None:
    try:
        settings = from_environment(os.environ)
        asyncio.run(create_topics(settings.kafka, settings))
    except (ValueError, KafkaError, OSError, WrongTopic) as error:
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
