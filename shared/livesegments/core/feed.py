"""From an event to the facts that it feeds: by name, then by a hashed equality, then by asking.

Of a fact's equality filters the one on the path with the most different operands is hashed: among a
thousand segments on `platform = ios and campaign_id = X`, that is `campaign_id`.
"""

from __future__ import annotations

from collections.abc import Collection
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
        self._always: list[Track] = []
        self._asked: list[tuple[Predicate, Track]] = []
        self._hashed: dict[tuple[str, ...], dict[Key, list[Entry]]] = {}
        for feed, track in feeds:
            if feed.handles:
                self._hash(max(feed.handles, key=lambda item: len(variety[item.path])), feed, track)
            elif feed.accepts is None:
                self._always.append(track)
            else:
                self._asked.append((feed.accepts, track))

    def _hash(self, handle: Handle, feed: Feed, track: Track) -> None:
        by_key = self._hashed.setdefault(handle.path, {})
        for operand in handle.keys:
            by_key.setdefault(operand, []).append((None if feed.simple else feed.accepts, track))

    def fed(self, event: Event) -> list[Track]:
        """The facts that an event feeds, each once."""
        if not self._asked and not self._hashed:
            return self._always
        properties = event.properties
        found = self._always + [track for accepts, track in self._asked if accepts(properties)]
        for path, by_key in self._hashed.items():
            for accepts, track in _led(by_key, operands(path, properties)):
                if accepts is None or accepts(properties):
                    found.append(track)
        return found


def _led(by_key: dict[Key, list[Entry]], keys: tuple[Key, ...]) -> Collection[Entry]:
    if len(keys) == 1:
        return by_key.get(keys[0], ())
    # A list of operands may lead to one fact by several of them.
    return {id(entry[1]): entry for found in keys for entry in by_key.get(found, ())}.values()


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
