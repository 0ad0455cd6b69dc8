"""What a workspace has decided, at one revision, and what an edit looks up."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping

from livesegments.core.computed import named as asked_by
from livesegments.core.declared import Declarations
from livesegments.core.definition import Computed
from livesegments.core.references import References, measured, references
from livesegments.core.value_list import named
from livesegments.wire.catalog import ComputedAttribute, DeclaredField, Segment, ValueList
from livesegments.wire.subscription import Subscription


def folded(name: str) -> str:
    """The same for names that people take for one: case, and how many spaces there are, don't matter."""
    plain = unicodedata.normalize("NFC", name).casefold()
    return " ".join(unicodedata.normalize("NFC", plain).split())


class Snapshot:
    """Frozen once it is handed out; a `draft` of it may be changed. A revision is only compared for equality.

    segments  by id
    retired   the last version of deleted ones
    lists     value lists by id, also deleted ones whose contents are kept
    computed  computed attributes by id
    subscriptions  by id
    fields    declared attributes by name
    """

    def __init__(
        self,
        revision: str,
        segments: Iterable[Segment] = (),
        retired: Mapping[str, int] | None = None,
        lists: Iterable[ValueList] = (),
        computed: Iterable[ComputedAttribute] = (),
        subscriptions: Iterable[Subscription] = (),
        fields: Iterable[DeclaredField] = (),
    ) -> None:
        self.revision = revision
        self.segments: dict[str, Segment] = {}
        self.retired: dict[str, int] = dict(retired or {})
        self.lists = {each.id: each for each in lists}
        self.computed = {each.id: each for each in computed}
        self.subscriptions = {each.id: each for each in subscriptions}
        self.fields = {each.name: each for each in fields}
        self._ids: dict[str, tuple[str, ...]] = {}
        self._users: dict[str, frozenset[str]] = {}
        self._watchers: frozenset[str] = frozenset()
        for segment in segments:
            self.put(segment)

    def draft(self, revision: str) -> Snapshot:
        """A copy, to be changed before anybody else has it."""
        made = Snapshot(revision, (), self.retired, self.lists.values())
        made.computed, made.fields = dict(self.computed), dict(self.fields)
        made.subscriptions = dict(self.subscriptions)
        made.segments, made._ids, made._users = dict(self.segments), dict(self._ids), dict(self._users)
        made._watchers = self._watchers
        return made

    def named(self, name: str, but: str = "") -> Segment | None:
        """The segment that has this name, or one that is `folded` alike; `but` is passed over.

        (Several may: names were compared as they are written before.)"""
        ids = (id_ for id_ in self._ids.get(folded(name), ()) if id_ != but)
        return next((self.segments[id_] for id_ in ids), None)

    def users(self, id_: str) -> frozenset[str]:
        """Those that name the segment in their definitions."""
        return self._users.get(id_, frozenset())

    def dependents(self, id_: str) -> frozenset[str]:
        """Those that name it, and those that depend on all others."""
        return (self.users(id_) | self._watchers) - {id_}

    @property
    def digests(self) -> dict[str, str]:
        """Of the value lists that may be named."""
        return {id_: each.digest for id_, each in self.lists.items() if each.deleted_ms is None}

    @property
    def measures(self) -> dict[str, Computed]:
        """What computed attributes are."""
        return {id_: each.definition for id_, each in self.computed.items()}

    @property
    def declarations(self) -> Declarations:
        """What is declared of attributes."""
        return {name: each.declared for name, each in self.fields.items()}

    def asking(self, computed: str) -> list[Segment]:
        """The segments that ask about a computed attribute, sorted by id."""
        found = [
            each
            for each in self.segments.values()
            if each.definition is not None and computed in asked_by(each.definition)
        ]
        return sorted(found, key=lambda each: each.id)

    def measuring(self, segment: str) -> list[ComputedAttribute]:
        """The computed attributes that measure transitions of a segment, sorted by id."""
        found = [each for each in self.computed.values() if segment in measured(each.definition).ids]
        return sorted(found, key=lambda each: each.id)

    def subscribing(self, segment: str) -> list[Subscription]:
        """The subscriptions that name a segment, sorted by id."""
        found = [each for each in self.subscriptions.values() if segment in each.segments]
        return sorted(found, key=lambda each: each.id)

    def naming(self, value_list: str) -> list[Segment]:
        """The segments that name a value list, sorted by id."""
        found = [
            each
            for each in self.segments.values()
            if each.definition is not None and value_list in named(each.definition)
        ]
        return sorted(found, key=lambda each: each.id)

    def computed_naming(self, value_list: str) -> list[ComputedAttribute]:
        """The computed attributes that name a value list, sorted by id."""
        found = [each for each in self.computed.values() if value_list in named(each.definition)]
        return sorted(found, key=lambda each: each.id)

    def put(self, segment: Segment) -> None:
        """Into a draft: a new segment, or another version of one."""
        old = self.segments.get(segment.id)
        if old is not None:
            self._forget(old)
        self.segments[segment.id] = segment
        name = folded(segment.name)
        self._ids[name] = (*self._ids.get(name, ()), segment.id)
        needs = _needs(segment)
        for other in needs.ids:
            self._users[other] = self.users(other) | {segment.id}
        if needs.all_others:
            self._watchers |= {segment.id}

    def drop(self, id_: str, version: int) -> None:
        """Out of a draft; `version` is its last definition's."""
        old = self.segments.pop(id_, None)
        if old is not None:
            self._forget(old)
        self.retired[id_] = version

    def _forget(self, old: Segment) -> None:
        name = folded(old.name)
        others = tuple(id_ for id_ in self._ids[name] if id_ != old.id)
        if others:
            self._ids[name] = others
        else:
            del self._ids[name]
        for other in _needs(old).ids:
            left = self.users(other) - {old.id}
            if left:
                self._users[other] = left
            else:
                self._users.pop(other, None)
        self._watchers -= {old.id}


def _needs(segment: Segment) -> References:
    return references(segment.definition) if segment.definition is not None else References()
