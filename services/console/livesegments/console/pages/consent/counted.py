"""How many profiles said yes and no, by one question: a definition that nobody saves, with a count of each
of its nodes.

Example: for `email` and `news` two conditions are asked about, `opted_in` and `opted_out`, and the answer
has the count of both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from livesegments.client.planning import Preview
from livesegments.client.segments import Segment
from livesegments.console import formats
from livesegments.console.pages.profiles.shown import subject

USUAL = ("email", "sms", "push", "phone")
"""Channels that are asked about though no segment names them."""
STATES = ("opted_in", "opted_out")
MOST = 20
"""Channels, and topics, that are asked about: a question has two conditions for every pair of them."""
NODES = 160
"""Conditions of one question at most."""

Pair = tuple[str | None, str | None]


class Row(Struct, frozen=True):
    says: str
    opted_in: int
    opted_out: int


def pairs(channels: Sequence[str], topics: Sequence[str]) -> list[Pair]:
    """Every channel alone, every topic alone, every pair: as far as one question can have them."""
    alone: list[Pair] = [*((channel, None) for channel in channels), *((None, topic) for topic in topics)]
    both: list[Pair] = [(channel, topic) for channel in channels for topic in topics]
    return [*alone, *both][: NODES // len(STATES)]


def named(definitions: Iterable[Any]) -> tuple[list[str], list[str]]:
    """The channels and the topics that conditions of definitions name, in order, each once."""
    channels, topics = dict[str, None](), dict[str, None]()
    todo = list(definitions)
    while todo:
        part = todo.pop(0)
        if isinstance(part, dict):
            if part.get("type") == "consent":
                for found, value in ((channels, part.get("channel")), (topics, part.get("topic"))):
                    if isinstance(value, str):
                        found[value] = None
            todo += part.values()
        elif isinstance(part, list):
            todo += part
    return list(channels), list(topics)


def asked_about(segments: Sequence[Segment], channel: str, topic: str) -> list[Pair]:
    """What is counted: the pair that somebody asks about, what segments name, and the usual channels.
    There is no list of all that ever came."""
    channels, topics = named(each.definition for each in segments)
    topics += [topic for segment in segments for topic in segment.topics]
    first: list[Pair] = [(channel or None, topic or None)] if channel or topic else []
    rest = pairs(list(dict.fromkeys([*channels, *USUAL]))[:MOST], list(dict.fromkeys(topics))[:MOST])
    return [*first, *(pair for pair in rest if pair not in first)][: NODES // len(STATES)]


def question(asked: Sequence[Pair]) -> dict[str, Any]:
    """Needs at least one pair."""
    nodes = [
        {"type": "consent", "state": state}
        | ({} if channel is None else {"channel": channel})
        | ({} if topic is None else {"topic": topic})
        for channel, topic in asked
        for state in STATES
    ]
    return {"type": "any", "of": nodes}


def rows(asked: Sequence[Pair], found: Preview) -> list[Row]:
    """Those about which anybody has said anything, the most first."""
    counts = {node.pointer: node.count for node in found.nodes}
    made = []
    for at, (channel, topic) in enumerate(asked):
        yes, no = (counts.get(f"/of/{at * len(STATES) + number}", 0) for number in range(len(STATES)))
        if yes or no:
            made.append(Row(subject(channel, topic), yes, no))
    return sorted(made, key=lambda row: (-(row.opted_in + row.opted_out), row.says))


def topics(segments: Iterable[Segment]) -> list[tuple[str, str]]:
    """The topics of segments, with how many have each."""
    counts: dict[str, int] = {}
    for segment in segments:
        for topic in segment.topics:
            counts[topic] = counts.get(topic, 0) + 1
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return [(topic, formats.count(count, "segment")) for topic, count in ordered]
