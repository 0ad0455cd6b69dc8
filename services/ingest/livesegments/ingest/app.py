"""Composition root of the ingest service: `python -m livesegments.ingest.app`.

HTTP and the inbound topic in, topics `events` and `rejected` out. It ends with status 0 on SIGTERM or
SIGINT, once everything it took is acknowledged.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import structlog
import uvloop
from aiokafka.errors import KafkaError

from livesegments.ingest import consume, http, inbound
from livesegments.ingest.access import Access
from livesegments.ingest.broker import Broker
from livesegments.ingest.gate import Gate
from livesegments.ingest.log_time import LogTime
from livesegments.ingest.names import Observer
from livesegments.ingest.packer import Packer
from livesegments.ingest.sieve import Sieve
from livesegments.runtime import logs, metrics, status, tasks
from livesegments.runtime.clock import wall_ms
from livesegments.runtime.connection import Connection
from livesegments.runtime.settings import Settings, from_environment
from livesegments.store import names as seen
from livesegments.store.catalog import Catalog
from livesegments.store.client import Client, connect
from livesegments.store.profiles import Profiles
from livesegments.store.standing import Heads
from livesegments.store.suppressions import Suppressions
from livesegments.wire.catalog import Quotas

STOP_S = 4
"""Requests under way have this time to be answered; then everything else has it once more to end."""

_log = structlog.get_logger(__name__)


def not_ready(redis: Client, broker: Broker) -> status.Reasons:
    async def reasons() -> list[str]:
        try:
            await redis.ping()
            return [] if await broker.ready() else ["the topic 'events' is not there"]
        except (KafkaError, OSError) as error:
            return [repr(error)]

    return reasons


@contextlib.asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[str]:
    """Serves while entered; the address. Everything taken is acknowledged when it is left.

    What it can't do without (the inbound reader, the producer) may fail for good: that cancels who has
    entered and comes out as an ExceptionGroup, for half a service is worse than none that is restarted.
    """
    async with contextlib.AsyncExitStack() as stack:
        redis = await stack.enter_async_context(connect(settings.redis))
        known = Suppressions(redis, settings.partitions, settings.erasure_key)
        sieve = Sieve(known)
        broker, in_time = Broker(settings.kafka, settings.partitions, sieve.refusals), Ending()
        await broker.start()
        stack.push_async_callback(in_time, "producer", broker.stop)
        defaults = Quotas(
            settings.quota_events_per_s or None, None, settings.quota_profiles or None, settings.quota_names
        )
        access = Access(Catalog(redis), wall_ms, settings.unknown_lists == "accept", defaults)
        gave_way = metrics.INGEST_QUOTA.labels("names").inc
        names = Observer(seen.NameStore(redis, gave_way), access.names)
        stack.push_async_callback(in_time, "names", names.flush)
        packer = Packer(broker, settings.partitions, wall_ms, names.offer, sieve.events)
        stack.push_async_callback(in_time, "packer", packer.close)
        profiles = Profiles(redis, Heads(redis, settings.partitions))
        log = LogTime(settings.log_ahead_ms, profiles.newest_clock) if settings.clock == "log" else None
        gate = Gate(
            access.quotas,
            profiles,
            lambda: broker.ends,
            time.monotonic,
            wall_ms,
            settings.ingest_processes,
        )
        records = consume.consumer(settings.kafka)
        await records.start()
        stack.push_async_callback(in_time, "inbound", records.stop)
        taker = inbound.Inbound(packer, broker, access, gate, wall_ms, log)
        needed = await stack.enter_async_context(asyncio.TaskGroup())
        reading = consume.Reader(records, taker)
        endless = (reading.run(), broker.lost(), names.run(), gate.run(), known.run())
        stack.push_async_callback(tasks.cancelled, [needed.create_task(each) for each in endless])
        edge = http.Edge(packer, broker, access, gate, wall_ms, log)
        application = http.app(edge, status.routes(metrics.INGEST, not_ready(redis, broker)))
        async with status.serving(application, settings.host, settings.port, STOP_S, Connection) as address:
            _log.info("serving", address=address, clock=settings.clock)
            gc.freeze()  # what is there now stays: a full collection need not walk it
            yield address


class Ending:
    """A broker that is away must not keep us: no sender was answered before the broker acknowledged its
    events.

    So all that has to end has `STOP_S` together, and none that fails keeps the next from ending.
    """

    def __init__(self) -> None:
        self._by: float | None = None

    async def __call__(self, what: str, ending: Callable[[], Awaitable[None]]) -> None:
        now = asyncio.get_running_loop().time()
        self._by = self._by or now + STOP_S
        # a task of its own: aiokafka's stop may come out cancelled, which is not to say that we are
        task = asyncio.ensure_future(ending())
        await asyncio.wait([task], timeout=max(0.0, self._by - now))
        if not task.done():
            task.cancel()
            _log.warning("ended without the broker's answer", what=what)
        elif task.cancelled() or task.exception() is not None:
            error = None if task.cancelled() else repr(task.exception())
            _log.warning("ended badly", what=what, error=error)


async def serve(settings: Settings) -> None:
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ending.set)
    async with serving(settings):
        await ending.wait()


def main() -> None:
    settings = from_environment(os.environ)
    logs.configure("ingest", settings.log_level)
    gc.set_threshold(10_000, 20, 20)
    uvloop.run(serve(settings))


if __name__ == "__main__":
    main()
