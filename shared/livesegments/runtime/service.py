"""One of our services as a child process, and the watch that starts it again after its death."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from livesegments.runtime.embedded import ports
from livesegments.runtime.embedded.child import Child, StartError
from livesegments.runtime.embedded.server import Server
from livesegments.runtime.tasks import cancelled

LOOK_S = 0.05
LATE_S = 10.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 10.0
STEADY_S = 30.0
LIVES = 3

Say = Callable[[str], None]
"""Called with a line for a person that says what has happened."""


class Service(Server):
    """`python -m MODULE` with `environment`; HOST and PORT are given by us. Started means: it answers
    /healthz. Ready, which may take longer (it catches up), means: /readyz says 200."""

    def __init__(self, name: str, module: str, folder: Path, environment: Mapping[str, str]) -> None:
        super().__init__(folder)
        self.name, self.module, self.environment = name, module, environment

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def listeners(self) -> list[int]:
        return [self.port]

    async def prepare(self) -> Child:
        environment = {
            **self.environment,
            "LIVESEGMENTS_HOST": ports.HOST,
            "LIVESEGMENTS_PORT": str(self.port),
        }
        command = [sys.executable, "-m", self.module]
        return Child(self.name, command, self.folder / f"{self.name}.log", environment)

    async def answers(self) -> None:
        while await self._ask("/healthz") is not None:
            assert self.child is not None
            self.child.check()
            await asyncio.sleep(LOOK_S)

    async def ready(self, say: Say) -> None:
        """However long it takes to catch up; says why not yet. Raises StartError when it keeps ending."""
        loop = asyncio.get_running_loop()
        late, lives = loop.time() + LATE_S, {self.pid}
        while (why_not := await self._ask("/readyz")) is not None:
            lives.add(self.pid)
            if len(lives) > LIVES:
                assert self.child is not None
                raise StartError(self.child.complaint("keeps ending before it is ready"))
            if loop.time() > late:
                say(f"{self.name} is not ready yet: {why_not}")
                late = loop.time() + LATE_S
            await asyncio.sleep(LOOK_S)

    async def _ask(self, path: str) -> str | None:
        """None for a good answer, else the text of the bad one."""
        # Plain HTTP on loopback: no certificates to load, which takes longer than all the rest.
        async with httpx.AsyncClient(base_url=self.url, verify=False, trust_env=False, timeout=5.0) as client:
            try:
                answer = await client.get(path)
            except httpx.TransportError as error:
                return f"no answer ({type(error).__name__})"
        return None if answer.is_success else f"HTTP {answer.status_code} {answer.text[:300]}"


class Sharing(Service):
    """One more process on the port of `first`, which is started before it."""

    def __init__(self, name: str, module: str, folder: Path, first: Service) -> None:
        super().__init__(name, module, folder, first.environment)
        self._first = first

    async def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = self._first.port
        await self._start()


@asynccontextmanager
async def started(servers: Sequence[Server]) -> AsyncIterator[None]:
    """Starts them all at once and stops them all at once; one that does not come up ends it (StartError)."""
    try:
        try:
            async with asyncio.TaskGroup() as starting:
                for server in servers:
                    starting.create_task(server.start())
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        yield
    finally:
        await asyncio.gather(*(server.stop() for server in servers))


@asynccontextmanager
async def watched(servers: Sequence[Server], say: Say) -> AsyncIterator[None]:
    """While in it, each that ends is started again."""
    tasks = [asyncio.create_task(watch(server, say)) for server in servers]
    try:
        yield
    finally:
        await cancelled(tasks)


async def watch(server: Server, say: Say) -> None:
    """Starts the server again whenever it ends, on its data and its port. The pause before doubles up to
    LONGEST_PAUSE_S, until the server has lasted for STEADY_S. Never returns: cancel it before stopping the
    server."""
    loop = asyncio.get_running_loop()
    pause_s = FIRST_PAUSE_S
    while True:
        since = loop.time()
        assert server.child is not None
        status = await server.child.wait()
        if loop.time() - since > STEADY_S:
            pause_s = FIRST_PAUSE_S
        say(f"{server.name} ended with status {status}; again in {pause_s:.1f} s; see {server.child.log}")
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        try:
            await server.restart()
        except StartError as error:
            say(str(error))
        else:
            say(f"{server.name} is back")
