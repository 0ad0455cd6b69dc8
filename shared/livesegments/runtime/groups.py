"""Which member of a consumer group has which partitions, as the broker knows it."""

from __future__ import annotations

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import for_code


async def assigned(admin: AIOKafkaAdminClient, group: str, topic: str) -> set[int]:
    """The partitions of a topic that a group's members have; a member that died counts until its session
    ends, and one that is only just joining has none. Raises aiokafka.errors.KafkaError."""
    found: set[int] = set()
    for response in await admin.describe_consumer_groups([group]):
        for error, _, _, _, _, members, *_ in response.groups:
            if error:
                raise for_code(error)(group)
            for member in members:
                if assignment := member[4]:
                    decoded = ConsumerProtocolMemberAssignment.decode(assignment)
                    found |= {
                        p for name, partitions in decoded.assignment if name == topic for p in partitions
                    }
    return found
