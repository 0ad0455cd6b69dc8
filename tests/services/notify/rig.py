"""Notify as others see it: processes, the topics that it reads, receivers that answer as a test says."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
from aiohttp import web
from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis
from standardwebhooks.webhooks import Webhook as Verifier

from livesegments.core.event import Kind, Transition
from livesegments.runtime.embedded.child import Child
from livesegments.runtime.embedded.ports import free_port
from livesegments.runtime.embedded.stack import Stack
from livesegments.wire import catalog, memberships
from livesegments.wire.subscription import Secret, Subscription, Webhook
from livesegments.wire.topics import DEFINITIONS, MEMBERSHIPS, partition_of

PARTITIONS = 8
LOOK_S = 0.02
SECRET = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0"


class Message(msgspec.Struct):
    id: str
    body: Any
    headers: dict[str, str]

    @property
    def ids(self) -> list[str]:
        """Of its transitions, in order."""
        data = self.body["data"]
        return [each["id"] for each in data.get("transitions", [data])]


class Receiver:
    """`answer(message)` gives the status; what was answered with 200 is in `taken`, everything in `heard`."""

    def __init__(self) -> None:
        self.heard: list[Message] = []
        self.taken: list[Message] = []
        self.answer: Callable[[Message], Awaitable[int]] = self._ok
        self.secret = SECRET
        self.clock_is_ours = True
        """Else a message of another time than ours is taken, unverified."""
        self.url = ""

    async def _ok(self, _: Message) -> int:
        return 200

    async def handle(self, request: web.Request) -> web.Response:
        data = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        verifier = Verifier(self.secret)
        body = verifier.verify(data, headers) if self.clock_is_ours else msgspec.json.decode(data)
        message = Message(headers["webhook-id"], body, headers)
        self.heard.append(message)
        status = await self.answer(message)
        if status == 200:
            self.taken.append(message)
        return web.Response(status=status, headers={"Location": "/elsewhere"} if status == 302 else {})

    @property
    def ids(self) -> list[str]:
        """Of the transitions that it took, each once, in the order in which they came first."""
        return list(dict.fromkeys(each for message in self.taken for each in message.ids))


class Rig:
    def __init__(self, stack: Stack, folder: Path, producer: AIOKafkaProducer, redis: Any) -> None:
        self.stack, self.folder, self.producer, self.redis = stack, folder, producer, redis
        self.children: list[tuple[Child, int]] = []
        self._sent = 0

    def start(self, **settings: object) -> Child:
        port = free_port()
        given = {"kafka": self.stack.kafka, "redis": self.stack.redis, "port": port, "data": self.folder}
        given |= {"notify_hosts": "127.0.0.1"} | settings
        environment = {f"LIVESEGMENTS_{name.upper()}": str(value) for name, value in given.items()}
        log = self.folder / f"notify-{len(self.children)}.log"
        child = Child(
            "notify", [sys.executable, "-m", "livesegments.notify.app"], log, os.environ | environment
        )
        child.start()
        self.children.append((child, port))
        return child

    async def ready(self) -> None:
        async def answers(port: int) -> bool:
            try:
                async with httpx.AsyncClient(timeout=5) as client:
                    return (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
            except httpx.TransportError:
                return False

        for child, port in self.children:
            while not await answers(port):
                child.check()
                await asyncio.sleep(LOOK_S)

    async def subscribe(self, id_: str, url: str = "", **fields: Any) -> Subscription:
        webhook = Webhook(url, (Secret(SECRET),)) if url else None
        made = Subscription("shop", id_, id_, 1, 0, 0, (0,) * PARTITIONS, webhook=webhook, **fields)
        await self.define(made)
        return made

    async def define(self, subscription: Subscription) -> None:
        key = catalog.key_of(subscription).encode()
        await self.producer.send_and_wait(DEFINITIONS, catalog.encode(subscription), key=key, partition=0)

    async def found(self, look: Callable[[], Awaitable[Any]]) -> Any:
        """What `look` gives, as soon as it is something."""
        async with asyncio.timeout(60):
            while not (something := await look()):  # noqa: ASYNC110
                await asyncio.sleep(LOOK_S)
        return something

    async def announce(self, *transitions: Transition) -> None:
        sent = [
            await self.producer.send(
                MEMBERSHIPS,
                memberships.encode(each),
                key=each.profile.encode(),
                partition=partition_of(each.workspace, each.profile, PARTITIONS),
            )
            for each in transitions
        ]
        await asyncio.gather(*sent)

    def story(
        self, many: int, profiles: int, segment: str = "vip", workspace: str = "shop"
    ) -> list[Transition]:
        """Every profile enters and exits by turns, at the present time."""
        found, now_ms = [], int(time.time() * 1_000)
        for number in range(many):
            turn, profile = divmod(number, profiles)
            kind: Kind = "exited" if turn % 2 else "entered"
            self._sent += 1
            found.append(
                Transition(
                    f"t{self._sent}",
                    workspace,
                    segment,
                    f"p{profile}",
                    kind,
                    now_ms,
                    turn + 1,
                    "event",
                    None,
                    1,
                )
            )
        return found


async def until(holds: Callable[[], bool]) -> None:
    """Waits for a state; fails when it does not come."""
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    application = web.Application()
    application.router.add_post("/in", receiver.handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    receiver.url = f"http://127.0.0.1:{port}/in"
    try:
        yield receiver
    finally:
        await runner.cleanup()


@asynccontextmanager
async def rigged(stack: Stack, folder: Path) -> AsyncIterator[Rig]:
    producer = AIOKafkaProducer(bootstrap_servers=stack.kafka, linger_ms=2)
    await producer.start()
    async with Redis.from_url(stack.redis) as redis:
        rig = Rig(stack, folder, producer, redis)
        try:
            yield rig
        finally:
            for child, _ in rig.children:
                await child.stop()
            await producer.stop()
