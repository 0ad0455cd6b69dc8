"""Broker and Redis: embedded, or those that are given."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from livesegments.runtime.embedded.jars import Progress
from livesegments.runtime.embedded.kafka import Kafka
from livesegments.runtime.embedded.redis import Valkey


@dataclass(frozen=True)
class Stack:
    """`kafka` is HOST:PORT, `redis` a URL; `servers` are those that are our own children."""

    kafka: str
    redis: str
    servers: tuple[Kafka | Valkey, ...]


@asynccontextmanager
async def stack(
    folder: Path, kafka: str = "", redis: str = "", progress: Progress | None = None
) -> AsyncIterator[Stack]:
    """Starts servers that are not given, with data in `folder`. Raises jars.NoJars, child.StartError."""
    async with AsyncExitStack() as running:
        servers: list[Kafka | Valkey] = []
        if not redis:
            servers.append(valkey := Valkey(folder / "valkey"))
            await running.enter_async_context(valkey)
            redis = valkey.url
        if not kafka:
            servers.append(broker := Kafka(folder / "kafka", progress))
            await running.enter_async_context(broker)
            kafka = broker.address
        yield Stack(kafka, redis, tuple(servers))
