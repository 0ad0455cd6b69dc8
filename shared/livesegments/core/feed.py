"""From an event to the facts that it feeds: by name, then by a hashed equality, then by testing the filters.

Of a fact's equality filters the one on the path with the most different operands is hashed: among a
thousand segments on `platform = ios and campaign_id = X`, that is `campaign_id`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from livesegments.core.edition import Edition, own
from livesegments.core.event import Event
from livesegments.core.fact import Feed
from livesegments.core.track import Track
from livesegments.core.value import Key, flat, key, walk
from livesegments.core.where import Handle, Predicate

Entry: TypeAlias = tuple[Predicate | None, Track]


class Counted(dict[Key, int]):
    """How many facts ask for each operand on one path, shared between plans (module `edition`)."""

    def __init__(self, edition: Edition, counts: Mapping[Key, int] = MappingProxyType({})) -> None:
        super().__init__(counts)
        self.edition = edition

    def copied(self, edition: Edition) -> Counted:
        return Counted(edition, self)


class ByKey(dict[Key, tuple[Entry, ...]]):
    """The facts to which an operand on one path leads, shared between plans."""

    def __init__(
        self, edition: Edition, entries: Mapping[Key, tuple[Entry, ...]] = MappingProxyType({})
    ) -> None:
        super().__init__(entries)
        self.edition = edition

    def copied(self, edition: Edition) -> ByKey:
        return ByKey(edition, self)


class NameFeeds:
    """The facts fed by events of one name. A fact's way is chosen when it is put in, and stays."""

    def __init__(self, edition: Edition) -> None:
        self.edition = edition
        self._chosen: dict[int, Handle | None] = {}
        self._variety: dict[tuple[str, ...], Counted] = {}
        self._always: list[Track] = []
        self._asked: list[tuple[Predicate, Track]] = []
        self._hashed: dict[tuple[str, ...], ByKey] = {}

    def copied(self, edition: Edition) -> NameFeeds:
        made = NameFeeds(edition)
        made._chosen = dict(self._chosen)
        made._variety, made._hashed = dict(self._variety), dict(self._hashed)
        made._always, made._asked = list(self._always), list(self._asked)
        return made

    def __len__(self) -> int:
        return len(self._chosen)

    def add(self, tracks: Collection[Track]) -> None:
        """Tracks of facts that are not in yet."""
        for track in tracks:
            self._count(track.fact.feed, 1)
        for track in tracks:
            handles = track.fact.feed.handles
            chosen = max(handles, key=lambda item: len(self._variety[item.path])) if handles else None
            self._chosen[track.id] = chosen
            self._put(chosen, track)

    def replace(self, old: Track, new: Track) -> None:
        """Another edition's track of a fact."""
        chosen = self._chosen[old.id]
        self._drop(chosen, old)
        self._put(chosen, new)

    def discard(self, track: Track) -> None:
        self._drop(self._chosen.pop(track.id), track)
        self._count(track.fact.feed, -1)

    def _count(self, feed: Feed, more: int) -> None:
        for handle in feed.handles:
            counted = own(self._variety, handle.path, self.edition, Counted)
            for operand in handle.keys:
                counted[operand] = counted.get(operand, 0) + more
                if not counted[operand]:
                    del counted[operand]

    def _put(self, chosen: Handle | None, track: Track) -> None:
        feed = track.fact.feed
        if chosen is not None:
            by_key = own(self._hashed, chosen.path, self.edition, ByKey)
            entry = (None if feed.simple else feed.accepts, track)
            for operand in chosen.keys:
                by_key[operand] = (*by_key.get(operand, ()), entry)
        elif feed.accepts is None:
            self._always.append(track)
        else:
            self._asked.append((feed.accepts, track))

    def _drop(self, chosen: Handle | None, track: Track) -> None:
        if chosen is not None:
            by_key = own(self._hashed, chosen.path, self.edition, ByKey)
            for operand in chosen.keys:
                left = tuple(entry for entry in by_key[operand] if entry[1] is not track)
                if left:
                    by_key[operand] = left
                else:
                    del by_key[operand]
            if not by_key:
                del self._hashed[chosen.path]
        elif track.fact.feed.accepts is None:
            self._always = [each for each in self._always if each is not track]
        else:
            self._asked = [each for each in self._asked if each[1] is not track]

    def fed(self, event: Event) -> list[Track]:
        """The facts that an event feeds, each once."""
        asked, hashed = self._asked, self._hashed
        if not asked and not hashed:
            return self._always
        properties, time_ms = event.properties, event.time_ms
        found = self._always.copy()
        if asked:
            found += [track for accepts, track in asked if accepts(properties, time_ms)]
        for path, by_key in hashed.items():
            value = properties.get(path[0]) if len(path) == 1 else None
            if type(value) is str or type(value) is int:  # its own key, and the only one
                led: Collection[Entry] = by_key.get(value, ())
            else:
                led = _led(by_key, operands(path, properties))
            for accepts, track in led:
                if accepts is None or accepts(properties, time_ms):
                    found.append(track)
        return found


def _led(by_key: Mapping[Key, tuple[Entry, ...]], keys: tuple[Key, ...]) -> Collection[Entry]:
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


def feeds(tracks: Iterable[Track], edition: Edition) -> dict[str, NameFeeds]:
    """By event name."""
    by_name: dict[str, list[Track]] = {}
    for track in tracks:
        for name in track.fact.feed.names:
            by_name.setdefault(name, []).append(track)
    made = {name: NameFeeds(edition) for name in by_name}
    for name, named in by_name.items():
        made[name].add(named)
    return made
