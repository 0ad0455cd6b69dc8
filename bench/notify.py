"""Webhooks: notify alone on one core, a receiver on the other, with the broker and Redis.

`python -m bench notify`. One subscription hears transitions that stand in the topic already, one message each, signed.
Timed once a tenth of them is delivered, to the last. The receiver is this process: it reads a request and answers 200.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench import harness
from bench.used import cpu_s
from livesegments.core.event import Transition
from livesegments.runtime.embedded.stack import Stack
from livesegments.wire import catalog, memberships
from livesegments.wire.subscription import Secret, Subscription, Webhook
from livesegments.wire.topics import DEFINITIONS, MEMBERSHIPS, partition_of

WARM_UP = 0.1
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
SECRET = "whsec_YmVuY2hiZW5jaGJlbmNoYmVuY2g="


class Receiver(asyncio.Protocol):
    """Counts requests; it does as little as a receiver can."""

    count = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._data = transport, b""

    def data_received(self, data: bytes) -> None:
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            head = self._data[:end].lower()
            at = head.index(b"content-length:") + 15
            size = int(head[at:].split(b"\r\n", 1)[0])
            if len(self._data) < end + 4 + size:
                return
            self._data = self._data[end + 4 + size :]
            Receiver.count += 1
            self._transport.write(ANSWER)


@asynccontextmanager
async def receiving() -> AsyncIterator[str]:
    server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}/in"


async def run(deliveries: int) -> tuple[float, float]:
    """Deliveries a second, and the CPU of notify for one in microseconds."""
    async with harness.fresh_stack() as running, receiving() as url:
        os.sched_setaffinity(0, harness.SERVERS)
        try:
            await _announce(running, url, deliveries)
            return await _timed(running, deliveries)
        finally:
            os.sched_setaffinity(0, harness.EVERY)


async def _announce(running: Stack, url: str, deliveries: int) -> None:
    webhook = Webhook(url, (Secret(SECRET),))
    rule = Subscription("bench", "sub", "Bench", 1, 0, 0, (0,) * harness.PARTITIONS, webhook=webhook)
    async with harness.producer(running) as out:
        await out.send(DEFINITIONS, catalog.encode(rule), key=catalog.key_of(rule).encode())
        for number in range(deliveries):
            profile = f"profile-{number % 5_000}"
            told = Transition(
                f"{number:032x}", "bench", "vip", profile, "entered", number, 1, "event", "e", 1
            )
            partition = partition_of("bench", profile, harness.PARTITIONS)
            await out.send(MEMBERSHIPS, memberships.encode(told), partition=partition)
        await out.flush()


async def _timed(running: Stack, deliveries: int) -> tuple[float, float]:
    Receiver.count = 0
    with TemporaryDirectory() as folder:
        permitted = {"LIVESEGMENTS_NOTIFY_HOSTS": "127.0.0.1"}
        notify = harness.service("notify", running, Path(folder), "wall", permitted)
        await notify.start()
        assert notify.child is not None
        harness.pin(notify.child.pid, harness.CONTENDER)
        try:
            await _reached(deliveries * WARM_UP)
            skipped, began, before = Receiver.count, time.perf_counter(), cpu_s(notify.child.pid)
            await _reached(deliveries)
            took, used = time.perf_counter() - began, cpu_s(notify.child.pid) - before
        finally:
            await notify.stop()
    done = deliveries - skipped
    return done / took, used / done * 1e6


async def _reached(count: float) -> None:
    async with asyncio.timeout(300):
        while count > Receiver.count:
            await asyncio.sleep(0.01)


def table(runs: list[tuple[float, float]]) -> list[str]:
    """Medians, and the slowest of the runs."""
    rates, cpu = zip(*runs, strict=True)
    return [
        "| deliveries/s, one core | slowest run | CPU for a delivery |",
        "|---|---|---|",
        f"| {median(rates):,.0f} | {min(rates):,.0f} | {median(cpu):.0f} µs |",
    ]
