import asyncio
import os
import sys

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from livesegments.runtime.embedded.stack import Stack
from livesegments.runtime.settings import Settings
from livesegments.runtime.topics import WrongTopic, create_topics
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


async def test_another_number_of_partitions_is_refused(clean_stack: Stack) -> None:
    with pytest.raises(WrongTopic, match="has 8 partitions, not 4: set LIVESEGMENTS_PARTITIONS=8"):
        await create_topics(clean_stack.kafka, Settings(partitions=4))


async def test_nothing_makes_a_topic_of_a_misspelt_name(
    kafka_address: str, admin: AIOKafkaAdminClient
) -> None:
    await admin.describe_topics(["evnets"])
    assert "evnets" not in await admin.list_topics()
