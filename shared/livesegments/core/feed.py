"""From an event to the facts that it feeds: by name, then by a hashed equality, then by asking.

Of a fact's equality filters the one on the path with the most different operands is hashed: among a
thousand segments on `platform = ios and campaign_id = X`, that is `campaign_id`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from livesegments.core.event import Event
from livesegments.core.fact import Fact, Feed
from livesegments.core.track import Track
from livesegments.core.value import Key, flat, key, walk
from livesegments.core.where import Handle, Predicate

Entry = tuple[Predicate | None, Track]


class NameFeeds:
    """The facts fed by events of one name."""

    def __init__(self, feeds: list[tuple[Feed, Track]]) -> None:
        variety: dict[tuple[str, ...], set[Key]] = {}
        for feed, _ in feeds:
            for handle in feed.handles:
                variety.setdefault(handle.path, set()).update(handle.keys)
        self._asked: list[Entry] = []
        self._hashed: dict[tuple[str, ...], dict[Key, list[Entry]]] = {}
        for feed, track in feeds:
            if feed.handles:
                self._hash(max(feed.handles, key=lambda item: len(variety[item.path])), feed, track)
            else:
                self._asked.append((feed.accepts, track))

    def _hash(self, handle: Handle, feed: Feed, track: Track) -> None:
        by_key = self._hashed.setdefault(handle.path, {})
        for operand in handle.keys:
            by_key.setdefault(operand, []).append((None if feed.simple else feed.accepts, track))

    def fed(self, event: Event) -> Iterator[Track]:
        properties = event.properties
        for accepts, track in self._asked:
            if accepts is None or accepts(properties):
                yield track
        for path, by_key in self._hashed.items():
            entries: Collection[Entry]
            found = operands(path, properties)
            if len(found) == 1:
                entries = by_key.get(found[0], ())
            else:  # a list of operands may lead to one fact by several of them
                entries = {
                    id(track): (accepts, track)
                    for operand in found
                    for accepts, track in by_key.get(operand, ())
                }.values()
            for accepts, track in entries:
                if accepts is None or accepts(properties):
                    yield track


def operands(path: tuple[str, ...], properties: dict[str, Any]) -> tuple[Key, ...]:
    """The different scalars at a path."""
    if len(path) == 1:
        found = key(properties.get(path[0]))
        if found is not None:
            return (found,)
    keys = (key(value) for value in flat(walk(path, properties)))
    return tuple({found: None for found in keys if found is not None})


def feeds(tracks: dict[int, Track], facts: dict[int, Fact]) -> dict[str, NameFeeds]:
    by_name: dict[str, list[tuple[Feed, Track]]] = {}
    for fact_id, track in tracks.items():
        feed = facts[fact_id].feed
        by_name.setdefault(feed.name, []).append((feed, track))
    return {name: NameFeeds(found) for name, found in by_name.items()}
