import pytest
from aiokafka.admin import AIOKafkaAdminClient

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


async def test_another_number_of_partitions_is_refused(clean_stack: Stack) -> None:
    with pytest.raises(WrongTopic, match="has 8 partitions, not 4: set LIVESEGMENTS_PARTITIONS=8"):
        await create_topics(clean_stack.kafka, Settings(partitions=4))


async def test_nothing_makes_a_topic_of_a_misspelt_name(
    kafka_address: str, admin: AIOKafkaAdminClient
) -> None:
    await admin.describe_topics(["evnets"])
    assert "evnets" not in await admin.list_topics()
