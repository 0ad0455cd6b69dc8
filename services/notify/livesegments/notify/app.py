"""Composition root of the notify service: `python -m livesegments.notify.app`.

Topic `memberships` in, webhooks out. Workers share the partitions as a consumer group.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import secrets
import signal
from collections.abc import AsyncIterator, Callable
from functools import partial

import structlog
import uvloop
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from starlette.applications import Starlette

from livesegments.notify.catalog import Catalog, Name
from livesegments.notify.courier import Ports
from livesegments.notify.disabling import Disabling
from livesegments.notify.forgetting import Forgetting
from livesegments.notify.group import Group
from livesegments.notify.log import Log
from livesegments.notify.posting import Poster
from livesegments.notify.worker import Worker
from livesegments.runtime import logs, metrics, status, tasks
from livesegments.runtime.addresses import hosts
from livesegments.runtime.clock import wall_ms
from livesegments.runtime.retry import until_done
from livesegments.runtime.sealing import Seal
from livesegments.runtime.settings import Settings, from_environment
from livesegments.runtime.topic_identity import topic_id
from livesegments.store.client import Client, connect
from livesegments.store.lanes import Lanes
from livesegments.store.suppressions import Suppressions
from livesegments.wire.topics import MEMBERSHIPS, NOTIFY_GROUP

STOP_S = 2

_log = structlog.get_logger(__name__)


def not_ready(redis: Client, group: Group) -> status.Reasons:
    async def reasons() -> list[str]:
        try:
            await redis.ping()
        except OSError as error:
            return [repr(error)]
        return [] if group.joined else ["the consumer group has given it no partitions yet"]

    return reasons


@contextlib.asynccontextmanager
async def serving(settings: Settings, crash: Callable[[BaseException], None]) -> AsyncIterator[str]:
    """Serves while entered; the address. What was delivered is saved when it is left."""
    async with contextlib.AsyncExitStack() as stack:
        redis = await stack.enter_async_context(connect(settings.redis))
        store = Lanes(redis)
        disabling = Disabling(store, wall_ms)
        erased = Suppressions(redis, settings.partitions, settings.erasure_key)
        poster = await stack.enter_async_context(
            Poster(hosts(settings.notify_hosts), wall_ms, Seal(settings.secrets_key))
        )
        wake = Wake()
        catalog = Catalog(settings.kafka, wake.changed)
        stack.push_async_callback(catalog.close)
        await until_done(catalog.start, KafkaError)
        log = Log(settings.kafka, wake.arrived)
        stack.push_async_callback(log.close)
        await until_done(log.start, KafkaError)
        ports = Ports(
            store, log, poster.post, wall_ms, settings.clock == "log", disabling.is_disabled, disabling.gone,
            erased.has,
        )  # fmt: skip
        topic = await until_done(partial(topic_id, settings.kafka, MEMBERSHIPS), KafkaError)
        worker = wake.worker = Worker(
            ports, catalog.subscriptions, lambda: secrets.token_hex(8), topic, crash
        )
        stack.push_async_callback(worker.close)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.kafka,
            group_id=NOTIFY_GROUP,
            enable_auto_commit=False,
            auto_offset_reset="latest",
            session_timeout_ms=8_000,
        )
        group = Group(consumer, worker, log)
        await until_done(consumer.start, KafkaError)
        stack.push_async_callback(consumer.stop)
        group.subscribe()
        forgetting = Forgetting(store, erased, lambda: worker.tokens)
        endless = (
            catalog.run(), log.follow(consumer), disabling.run(), group.commit(), forgetting.run(),
        )  # fmt: skip
        running = [asyncio.create_task(each) for each in endless]
        for task in running:
            task.add_done_callback(partial(_ended, crash))
        stack.push_async_callback(tasks.cancelled, running)
        routes = status.routes(
            metrics.NOTIFY, not_ready(redis, group), lambda: metrics.NOTIFY_WAITING.set(worker.waiting)
        )
        application = Starlette(routes=routes)
        async with status.serving(application, settings.host, settings.port, STOP_S) as address:
            _log.info("serving", address=address, clock=settings.clock)
            yield address


class Wake:
    """Between those who hear of something and the worker, which is made after them."""

    worker: Worker | None = None

    def changed(self, name: Name) -> None:
        if self.worker is not None:
            self.worker.changed(name)

    def arrived(self, partition: int) -> None:
        if self.worker is not None:
            self.worker.wake(partition)


def _ended(crash: Callable[[BaseException], None], task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        crash(task.exception() or EOFError("a task that never ends has ended"))


async def serve(settings: Settings) -> None:
    """Until a signal. Raises the fault that ends it."""
    ending = asyncio.Event()
    faults: list[BaseException] = []

    def crash(error: BaseException) -> None:
        faults.append(error)
        ending.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ending.set)
    async with serving(settings, crash):
        gc.collect()
        gc.freeze()  # what is there now stays: a full collection need not walk it
        await ending.wait()
        if faults:
            raise faults[0]


def main() -> None:
    settings = from_environment(os.environ)
    logs.configure("notify", settings.log_level)
    uvloop.run(serve(settings))


if __name__ == "__main__":
    main()
