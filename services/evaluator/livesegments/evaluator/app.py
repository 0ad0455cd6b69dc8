"""Composition root of the evaluator service: `python -m livesegments.evaluator.app`.

Faust brings the records of the partitions that this worker has in the group; everything else is ours.
It ends with status 0 on SIGTERM or SIGINT, and with 1 on a fault, after which starting it again is safe.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import faust
import structlog
import uvloop
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError
from faust.types import TP
from mode import CrashingSupervisor
from starlette.applications import Starlette

from livesegments.core.plan import Limits
from livesegments.evaluator import status
from livesegments.evaluator.commits.pace import Pace
from livesegments.evaluator.faults import crashes
from livesegments.evaluator.history.turns import Turns
from livesegments.evaluator.kernel import native
from livesegments.evaluator.owner import Owner
from livesegments.evaluator.plans.catalog import Catalog
from livesegments.evaluator.ports import Options, Ports, Received
from livesegments.evaluator.publisher import KafkaPublisher
from livesegments.evaluator.timing import Comparison
from livesegments.evaluator.transport import Transport, reason, records_of
from livesegments.evaluator.worker import Worker
from livesegments.history.workshop import Workshop
from livesegments.runtime import logs, metrics
from livesegments.runtime.clock import GuardedClock, running_ms, wall_ms
from livesegments.runtime.memory import keep_freed_memory
from livesegments.runtime.settings import Settings, from_environment
from livesegments.runtime.status import routes, serving
from livesegments.runtime.topic_identity import topic_id
from livesegments.runtime.topics import config_of, too_short
from livesegments.store.client import Client, connect
from livesegments.store.names import NameStore
from livesegments.store.rewriting import Rewriting
from livesegments.store.shard import RedisShard
from livesegments.wire.topics import EVENTS, EVENTS_GROUP

SESSION_S = 6.0
HEARTBEAT_S = 2.0
STOP_S = 8.0
NEVER_S = 10.0 * 365 * 86_400
"""The consumer that is in the group does not read: so it must not leave because it has read nothing."""
CHUNK, SLICE = 200, 10
"""Due times that fire in one commit in a storm, and at least without a pause."""
SWITCH_S = 0.0001
"""So soon another thread has its turn beside the evaluation: one that tells the broker that we live, or
compiles a plan."""
LOOK_S = 3.0
"""How often it is looked whether the topic is still the one that was there at the start."""

_log = structlog.get_logger(__name__)


class FaustApp(faust.App):
    """Faust, safely: no tables, no leader, no transactions, nothing acknowledged before it is committed."""

    def __init__(self, settings: Settings, worker: Worker, folder: str, pace: Pace) -> None:
        super().__init__(
            EVENTS_GROUP,
            broker=f"kafka://{settings.kafka.replace(',', ';kafka://')}",
            datadir=folder,
            broker_max_poll_records=400,
            broker_session_timeout=SESSION_S,
            broker_heartbeat_interval=HEARTBEAT_S,
            broker_rebalance_timeout=SESSION_S,
            broker_max_poll_interval=NEVER_S,
            stream_buffer_maxsize=64,
            stream_wait_empty=False,
            topic_disable_leader=True,
            topic_allow_declare=False,
            web_enabled=False,
            web_tables_enabled=False,
            worker_redirect_stdouts=False,
            agent_supervisor=CrashingSupervisor,
        )
        self._worker = worker
        self._pace = pace
        topic = self.topic(EVENTS, key_serializer="raw", value_serializer="raw")
        self.agent(topic, name="evaluate")(self._read)
        self.on_partitions_assigned.connect(self._assigned)  # type: ignore[arg-type]
        self.on_partitions_revoked.connect(self._revoked)  # type: ignore[arg-type]

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self, self._begin, self._worker.full, self._pace.round_s)

    async def _read(self, stream: Any) -> None:
        async for event in stream.noack().events():
            owner = self._worker.owners.get(event.message.partition)
            if owner is None:
                continue
            for message in records_of(event.message):
                stamp_ms, unread = round(message.timestamp * 1_000), reason(message.headers)
                ack = partial(message.ack, self.consumer)
                owner.offer(Received(message.offset, stamp_ms, message.value or b"", ack, unread))

    async def _assigned(self, _: Any, assigned: set[TP], **__: Any) -> None:
        await self._worker.assign(tp.partition for tp in assigned if tp.topic == EVENTS)

    async def _revoked(self, _: Any, revoked: set[TP], **__: Any) -> None:
        await self._worker.revoke(tp.partition for tp in revoked if tp.topic == EVENTS)

    async def _begin(self, firsts: Mapping[TP, int], ends: Mapping[TP, int]) -> dict[TP, int]:
        offsets = await self._worker.bound(
            {tp.partition: offset for tp, offset in firsts.items()},
            {tp.partition: offset for tp, offset in ends.items()},
        )
        return {TP(EVENTS, partition): offset for partition, offset in offsets.items()}


class FaustLog:
    """The log as an owner sees it, through the consumer of `faust`, which is set once it is made."""

    faust: FaustApp

    def __init__(self, topic: str) -> None:
        self.topic = topic

    async def seek(self, partition: int, offset: int) -> int | None:
        tp, consumer = TP(EVENTS, partition), self.faust.consumer
        try:
            first = (await consumer.earliest_offsets(tp))[tp]
            actual = max(offset, first)
            await consumer.seek(tp, actual)
        except KafkaError as error:
            _log.warning("the log can't be read again yet", partition=partition, error=repr(error))
            return None
        return actual

    def end(self, partition: int) -> int | None:
        try:
            end: int | None = self.faust.consumer.highwater(TP(EVENTS, partition))
        except Exception:  # not assigned any more, or not started yet: not known
            return None
        return end


class CreatedAnew(Exception):
    """Topic `events` is another one: its offsets mean other records than those that are stored."""


async def known_topic(kafka: str, checkpoint_every_s: float) -> str:
    """The identity of topic `events`, once it is there."""
    while True:
        try:
            identity = await topic_id(kafka, EVENTS)
            await see_retention(kafka, checkpoint_every_s)
            return identity
        except UnknownTopicOrPartitionError:
            _log.warning("the topic is not there: `livesegments up` at this broker makes it", topic=EVENTS)
            await asyncio.sleep(LOOK_S)


async def see_retention(kafka: str, checkpoint_every_s: float) -> None:
    """Warns where the broker forgets events before a checkpoint has them."""
    try:
        fault = too_short(await config_of(kafka, EVENTS), checkpoint_every_s)
    except (KafkaError, OSError) as error:
        _log.warning("how long the topic is kept isn't known", topic=EVENTS, error=repr(error))
        return
    if fault is not None:
        _log.warning("a lost Redis may not come back whole", topic=EVENTS, fault=fault)


async def same_topic(kafka: str, identity: str) -> None:
    """Never returns. Raises CreatedAnew; whoever starts then reads the new topic from its beginning."""
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            now = await topic_id(kafka, EVENTS)
        except (KafkaError, OSError):  # away, or deleted and not there again
            continue
        if now != identity:
            raise CreatedAnew(f"topic {EVENTS} was created anew: start again, it is read from its beginning")


async def crashed(application: FaustApp) -> None:
    """Never returns. Raises what ended Faust's consumer."""
    await application._crashed.wait()
    raise application.crash_reason or RuntimeError("Faust crashed")


def _kernels(settings: Settings) -> native.Kernels | None:
    """Where records go to the native kernel, its plans."""
    if settings.core == "native" and not native.BUILT:
        _log.info("no native kernel was built: the interpreted core serves")
    return native.Kernels() if settings.core == "native" and native.BUILT else None


def _options(settings: Settings, clock: Callable[[], int], store: Client) -> Options:
    return Options(
        now_ms=clock if settings.clock == "wall" else None,
        token=lambda: secrets.token_hex(8),
        in_flight=settings.commits_in_flight,
        cache_bytes=settings.cache_mb * 1_000_000 // settings.partitions,
        grace_s=SESSION_S,
        partitions=settings.partitions,
        archive_after_s=settings.archive_after_s,
        archive_after_bytes=settings.archive_after_mb * 1_000_000,
        archive_grace_s=settings.archive_grace_s,
        checkpoint_every_s=settings.checkpoint_every_s,
        audits=Turns(settings.audits_per_s) if settings.audits_per_s > 0 else None,
        wall_ms=wall_ms,
        erase_within_s=settings.erase_within_s,
        erasure_key=settings.erasure_key,
        history_days=settings.history_days,
        kernels=_kernels(settings),
        rewrite=Rewriting(store).ask if settings.erasure_rewrites_aof else None,
    )


async def serve(settings: Settings) -> None:
    """Until a signal; a fault ends the process."""
    ending = asyncio.Event()
    faults: list[BaseException] = []

    crashes.recall(Path(settings.data))

    def crash(error: BaseException) -> None:
        if not faults:
            crashes.remember(Path(settings.data), error)
        faults.append(error)
        ending.set()

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            crash(task.exception() or EOFError())

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ending.set)
    clock = GuardedClock(wall_ms, running_ms)
    pace = Pace(CHUNK, SLICE, time.perf_counter, time.perf_counter, time.thread_time)
    async with contextlib.AsyncExitStack() as stack:
        log = FaustLog(await known_topic(settings.kafka, settings.checkpoint_every_s))
        catalog = Catalog(
            settings.kafka, Limits(settings.dedup_window_ms, settings.dedup_max_ids), settings.recompile_s
        )
        stack.push_async_callback(catalog.stop)
        await catalog.start()
        publisher = KafkaPublisher(settings.kafka)
        stack.push_async_callback(publisher.close)
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="livesegments-"))
        history = Workshop(settings.archive or f"{settings.data}/archive", Path(folder), settings.redis)
        stack.push_async_callback(history.close)

        store = await stack.enter_async_context(connect(settings.redis))
        names = NameStore(store)
        options = _options(settings, clock, store)

        def make(partition: int) -> Owner:
            shard = RedisShard(settings.redis, partition)
            return Owner(partition, Ports(shard, log, catalog, publisher, history, options, pace, names))

        worker = Worker(make, crash)
        log.faust = FaustApp(settings, worker, folder, pace)
        topic = same_topic(settings.kafka, log.topic)
        for endless in (catalog.run(), topic, Comparison(clock, store).run()):
            stack.callback(_beside(endless, ended).cancel)
        application = Starlette(
            routes=routes(metrics.EVALUATOR, partial(_not_ready, worker), partial(status.show_lags, worker))
        )
        address = await stack.enter_async_context(serving(application, settings.host, settings.port, 1))
        _log.info("serving", address=address, clock=settings.clock)
        log.faust.finalize()
        await log.faust.start()
        gc.freeze()
        watching = _beside(crashed(log.faust), ended)
        await ending.wait()
        if faults:
            _log.error("fault", error=repr(faults[0]), exc_info=faults[0])
            _exit(1)
        watching.cancel()
        await worker.revoke(list(worker.owners))
        async with asyncio.timeout(STOP_S):
            await log.faust.stop()


def _beside(
    endless: Coroutine[Any, Any, None], ended: Callable[[asyncio.Task[None]], None]
) -> asyncio.Task[None]:
    task = asyncio.create_task(endless)
    task.add_done_callback(ended)
    return task


async def _not_ready(worker: Worker) -> list[str]:
    return status.not_ready(worker)


def _exit(status_: int) -> None:
    """At once: Faust's threads may be in the middle of anything, and nothing that matters is unsaved."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status_)


def main() -> None:
    settings = from_environment(os.environ)
    logs.configure("evaluator", settings.log_level)
    keep_freed_memory()
    gc.set_threshold(100_000, 50, 100)
    sys.setswitchinterval(SWITCH_S)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        with contextlib.suppress(TimeoutError):
            runner.run(serve(settings))
        _exit(0)


if __name__ == "__main__":
    main()
