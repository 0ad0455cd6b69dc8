"""The subscriptions, as topic `definitions` has them."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from livesegments.runtime import metrics
from livesegments.runtime.portions import Found, Unread
from livesegments.runtime.reader import Reader
from livesegments.wire import catalog
from livesegments.wire.subscription import Subscription
from livesegments.wire.topics import DEFINITIONS
from livesegments.wire.unreadable import Unreadable

_log = structlog.get_logger(__name__)
Name = tuple[str, str]
"""Workspace and id."""


class Catalog:
    """`on_change(name)` is called after `subscriptions` has moved."""

    def __init__(self, kafka: str, on_change: Callable[[Name], None]) -> None:
        self.subscriptions: dict[Name, Subscription] = {}
        self._reader = Reader(kafka, DEFINITIONS)
        self._on_change = on_change

    async def start(self) -> None:
        """Returns when all that was in the topic is known. Raises KafkaError."""
        await self._reader.start()
        async for record in self._reader.to_end():
            self._take(record)

    async def run(self) -> None:
        """Never returns; rides out a broker that is away."""
        async for record in self._reader.follow():
            name = self._take(record)
            if name is not None:
                self._on_change(name)

    async def close(self) -> None:
        await self._reader.close()

    def _take(self, record: Found) -> Name | None:
        try:
            if isinstance(record, Unread):
                raise Unreadable(record.why)
            key, entry = catalog.read(record.key, record.value)
        except Unreadable as error:
            metrics.DEFINITIONS_UNREADABLE.inc()
            _log.error("a definition can't be read", offset=record.offset, error=str(error))
            return None
        kind, workspace, *rest = key.split("/")
        if kind != "subscription":
            return None
        name = workspace, rest[0]
        if isinstance(entry, Subscription):
            self.subscriptions[name] = entry
        else:
            self.subscriptions.pop(name, None)
        return name
