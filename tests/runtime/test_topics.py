import asyncio
import os
import sys
from collections.abc import Awaitable, Callable

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from livesegments.runtime.embedded.stack import Stack
from livesegments.runtime.settings import Settings
from livesegments.runtime.topics import WrongTopic, config_of, create_topics, too_short, wanted
from livesegments.wire.topics import DEFINITIONS, EVENTS, INBOUND, MEMBERSHIPS, REJECTED


async def test_topics_are_made_once_and_left_as_they_are(
    clean_stack: Stack, admin: AIOKafkaAdminClient
) -> None:
    settings = Settings()
    await create_topics(clean_stack.kafka, settings)
    names = [INBOUND, EVENTS, REJECTED, MEMBERSHIPS, DEFINITIONS]
    found = {t["topic"]: len(t["partitions"]) for t in await admin.describe_topics(names)}
    assert found == {INBOUND: 8, EVENTS: 8, REJECTED: 1, MEMBERSHIPS: 8, DEFINITIONS: 1}


async def test_what_is_kept_for_how_long(clean_stack: Stack, admin: AIOKafkaAdminClient) -> None:
    """Redis is disposable only while `events` and `definitions` lose nothing."""
    making = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "livesegments.runtime.topics",
        env=os.environ | {"LIVESEGMENTS_KAFKA": clean_stack.kafka},
    )  # fmt: skip
    assert await making.wait() == 0
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in (EVENTS, DEFINITIONS)]
    found: dict[str, dict[str, str]] = {}
    for response in await admin.describe_configs(asked):
        for _, _, _, name, entries in response.resources:
            found[name] = {entry[0]: entry[1] for entry in entries}
    assert {found[EVENTS][key] for key in ("retention.ms", "retention.bytes")} == {"-1"}
    assert (found[EVENTS]["cleanup.policy"], found[DEFINITIONS]["cleanup.policy"]) == ("delete", "compact")


def test_events_are_kept_for_as_long_as_checkpoints_need() -> None:
    by_name = {each.name: each.topic_configs for each in wanted(Settings(events_retention_s=86_400))}
    assert by_name[EVENTS] == {"retention.ms": "86400000", "retention.bytes": "-1"}
    by_name = {each.name: each.topic_configs for each in wanted(Settings(rejected_retention_s=60))}
    assert by_name[EVENTS]["retention.ms"] == "-1"
    assert (by_name[REJECTED]["retention.ms"], by_name[INBOUND]["retention.ms"]) == ("60000", "604800000")
    with pytest.raises(ValueError, match="EVENTS_RETENTION_S is 3599: set it to 3600 or more, or 0"):
        wanted(Settings(events_retention_s=3_599))
    with pytest.raises(ValueError, match="set it to 8000 or more"):
        wanted(Settings(events_retention_s=7_999, checkpoint_every_s=2_000))
    with pytest.raises(ValueError, match=r"set it to 0 \(for ever\), for no checkpoints are taken"):
        wanted(Settings(events_retention_s=86_400, checkpoint_every_s=0))


async def test_a_topic_that_forgets_too_soon_is_said(
    kafka_address: str, topic: Callable[..., Awaitable[str]]
) -> None:
    config = await config_of(kafka_address, await topic(**{"retention.ms": "60000"}))
    assert too_short(config, 600) == "it is kept for 60 s, less than 3600 s: set retention.ms=3600000"
    assert too_short(config | {"retention.ms": "3600000"}, 600) is None
    assert "no checkpoints are taken" in str(too_short(config, 0))
    assert "retention.bytes=5" in str(too_short({"retention.ms": "-1", "retention.bytes": "5"}, 600))
    assert "compacted" in str(too_short({"cleanup.policy": "compact"}, 600))


async def test_another_number_of_partitions_is_refused(clean_stack: Stack) -> None:
    with pytest.raises(WrongTopic, match="has 8 partitions, not 4: set LIVESEGMENTS_PARTITIONS=8"):
        await create_topics(clean_stack.kafka, Settings(partitions=4))


async def test_nothing_makes_a_topic_of_a_misspelt_name(
    kafka_address: str, admin: AIOKafkaAdminClient
) -> None:
    await admin.describe_topics(["evnets"])
    assert "evnets" not in await admin.list_topics()
