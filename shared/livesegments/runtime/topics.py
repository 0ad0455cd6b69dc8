"""Makes the topics of `wire.topics` where they are missing, each with the settings that its purpose asks for.

`python -m livesegments.runtime.topics` makes them at the broker that the environment names.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from livesegments.runtime.settings import Settings, from_environment
from livesegments.wire.topics import DEFINITIONS, EVENTS, IDENTITIES, INBOUND, MEMBERSHIPS, REJECTED

FOREVER = "-1"
LEAST_CHECKPOINTS = 4
"""The newest checkpoint may be two intervals old when Redis is lost, and its coming back may take two."""
LEAST_S = 3_600
KNOWN_S = 20.0
LOOK_S = 0.02


class WrongTopic(Exception):
    """A topic is there, but not as it has to be."""


def least_s(checkpoint_every_s: float) -> float | None:
    """So long topic `events` must be kept, or what is lost with Redis doesn't come back; None: for ever."""
    return max(LEAST_S, LEAST_CHECKPOINTS * checkpoint_every_s) if checkpoint_every_s else None


def too_short(config: Mapping[str, str], checkpoint_every_s: float) -> str | None:
    """What is wrong with how long the broker keeps topic `events`; None: nothing."""
    kept_ms, size = int(config.get("retention.ms", -1)), int(config.get("retention.bytes", -1))
    least = least_s(checkpoint_every_s)
    if "compact" in config.get("cleanup.policy", "delete"):
        return "it is compacted, which drops events: set cleanup.policy=delete"
    if least is None and (kept_ms != -1 or size != -1):
        return "it isn't kept for ever, and no checkpoints are taken: set LIVESEGMENTS_CHECKPOINT_EVERY_S"
    if least is not None and 0 <= kept_ms < least * 1_000:
        advice = f"set retention.ms={round(least * 1_000)}"
        return f"it is kept for {kept_ms / 1_000:g} s, less than {least:g} s: {advice}"
    if size != -1:
        return f"retention.bytes={size} bounds its size, so nobody knows how long it is kept: set it to -1"
    return None


def wanted(settings: Settings) -> list[NewTopic]:
    """Raises ValueError where `events` would be kept for a shorter time than checkpoints need."""
    kept_s, least = settings.events_retention_s, least_s(settings.checkpoint_every_s)
    if kept_s and (least is None or kept_s < least):
        shortest = (
            "0 (for ever), for no checkpoints are taken" if least is None else f"{least:g} or more, or 0"
        )
        raise ValueError(f"LIVESEGMENTS_EVENTS_RETENTION_S is {kept_s}: set it to {shortest}")

    def topic(name: str, partitions: int, **config: str) -> NewTopic:
        given = {key.replace("_", "."): value for key, value in config.items()}
        return NewTopic(name, partitions, settings.replication, topic_configs=given)

    return [
        # its records' stamps are their receipts: the broker's clock, not the producers'
        topic(
            INBOUND, settings.partitions, message_timestamp_type="LogAppendTime",
            retention_ms=f"{settings.inbound_retention_s * 1_000}",
        ),
        # what profiles are rebuilt from when Redis is lost; brokers bound sizes by default, perhaps
        topic(
            EVENTS, settings.partitions,
            retention_ms=f"{kept_s * 1_000}" if kept_s else FOREVER, retention_bytes=FOREVER,
        ),
        # stamped by the broker, so stamps ascend with the offsets and an instant finds its offset
        topic(
            REJECTED, 1, message_timestamp_type="LogAppendTime",
            retention_ms=f"{settings.rejected_retention_s * 1_000}",
        ),
        topic(MEMBERSHIPS, settings.partitions),
        topic(DEFINITIONS, 1, cleanup_policy="compact"),
        topic(IDENTITIES, 1, cleanup_policy="compact"),
    ]  # fmt: skip


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


async def config_of(kafka: str, topic: str) -> dict[str, str]:
    """A topic's settings, as the broker has them. Raises KafkaError and OSError."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    try:
        await admin.start()
        (response,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        ((code, message, _, _, entries),) = response.resources
        if code:
            raise for_code(code)(message)
        return {entry[0]: entry[1] for entry in entries if entry[1] is not None}
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
