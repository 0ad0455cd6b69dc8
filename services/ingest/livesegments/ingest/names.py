"""The names, properties and attributes of accepted events: a bounded sample, stored once a second.

`offer` is called with events that the broker has, and keeps only some of them: of every name the first few of
a second. Everything else happens in `run`, in slices between which requests go on. While Redis is away, the
sample is kept, within bounds, and stored later. Nothing here ever fails a request: names are advice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from itertools import islice
from typing import Any, Protocol

import msgspec
import structlog
from msgspec import Struct

from livesegments.core.event import ALIAS, MERGE, PROFILE, RETRACT, Event
from livesegments.core.names.seen import Name, Names, merge, observe
from livesegments.ingest.receipt import Accepted
from livesegments.store.changes import NotRestored

FLUSH_S = 1.0
PER_NAME = 10
"""Events of one name and workspace that are observed in a second."""
SAMPLES = 500
"""Events that are observed in a second."""
LOOKS = 5_000
"""Events whose name is looked at in a second."""
SLICE = 20
"""Events that are observed between two chances for everybody else."""
PART = 8
"""Names that are stored together: merging them holds up everybody else for about a millisecond."""
MAX_PENDING = 2_000
"""Names that are kept, over all workspaces, while they can't be stored."""

_log = structlog.get_logger(__name__)


class _Head(Struct, array_like=True, frozen=True):
    """The beginning of an `Event`: its properties are passed over."""

    id: str
    workspace: str
    profile: str
    name: str


_heads = msgspec.msgpack.Decoder(_Head)
_events = msgspec.msgpack.Decoder(Event)


class Store(Protocol):
    async def add(self, workspace: str, seen: Mapping[str, Name], most: int) -> bool: ...


class Observer:
    """The observer of one ingest process; `most` says how many names of a workspace are kept."""

    def __init__(self, store: Store, most: Callable[[str], Awaitable[int]]) -> None:
        self._store = store
        self._most = most
        self._looks = 0
        self._taken: dict[tuple[str, str], int] = {}
        self._samples: list[bytes] = []
        self._pending: dict[str, Names] = {}
        self._away = False

    def offer(self, events: Iterable[Accepted]) -> None:
        """Takes a sample of them; most of a flood are not even looked at."""
        for event in events:
            if self._looks >= LOOKS or len(self._samples) >= SAMPLES:
                return
            self._looks += 1
            name = event.workspace, _heads.decode(event.data).name
            taken = self._taken.get(name, 0)
            if taken < PER_NAME:
                self._taken[name] = taken + 1
                self._samples.append(event.data)

    async def run(self) -> None:
        """Forever; cancel it, then `flush` once more."""
        while True:
            await asyncio.sleep(FLUSH_S)
            try:
                await self.flush()
            except Exception as error:  # names are advice, and must not end the service that takes events
                _log.exception("names that were seen are lost", error=repr(error))

    async def flush(self) -> None:
        """Observes the sample and stores what is pending, or keeps that where the store is away."""
        samples, self._samples, self._taken, self._looks = self._samples, [], {}, 0
        for number, data in enumerate(samples):
            if number % SLICE == SLICE - 1:
                await asyncio.sleep(0)
            self._observe(_events.decode(data))
        for workspace in list(self._pending):
            seen = self._pending.pop(workspace)
            try:
                most = await self._most(workspace)
                while seen:
                    part = dict(islice(seen.items(), PART))
                    if not await self._store.add(workspace, part, most):
                        break  # others wrote at the same time; the next flush tries again
                    for name in part:
                        del seen[name]
                self._away = False
            except (NotRestored, OSError) as error:
                if not self._away:
                    self._away = True
                    _log.warning("names that were seen can't be stored yet", error=repr(error))
                return
            finally:
                if seen:
                    self._keep(workspace, seen)

    def _observe(self, event: Event) -> None:
        names = self._pending.setdefault(event.workspace, {})
        if event.name in (ALIAS, MERGE, RETRACT) or (event.name not in names and self._is_full()):
            return
        if event.name == PROFILE:
            observe(names, PROFILE, event.time_ms, attributes_of(event.properties), dotted=False)
        else:
            observe(names, event.name, event.time_ms, event.properties)

    def _keep(self, workspace: str, seen: Names) -> None:
        """Keeps what could not be stored, together with what was observed meanwhile."""
        names = self._pending.setdefault(workspace, {})
        for name, each in seen.items():
            if name in names:
                names[name] = merge(each, names[name])
            elif not self._is_full():
                names[name] = each

    def _is_full(self) -> bool:
        return sum(map(len, self._pending.values())) >= MAX_PENDING


def attributes_of(change: Mapping[str, Any]) -> dict[str, Any]:
    """Of a `$profile` event's properties (`core.event.ProfileChange`), with the score and the groups."""
    attributes = dict(change.get("attributes") or {})
    score = change.get("score")
    if isinstance(score, dict):
        given = (score[how] for how in ("set", "increment") if score.get(how) is not None)
        attributes["score"] = next(given, 0)
    if change.get("groups"):
        attributes["groups"] = list(change["groups"])
    return attributes
