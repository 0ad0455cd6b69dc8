"""A process of ours: started on a leash, known to be the one that listens, stopped in good order.

It has a session of its own, so an interrupt at the terminal reaches its owner alone, who then ends things
in order; and it dies with its owner, however that ends (`leash`).
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from livesegments.runtime.embedded import ports

LEASH = str(Path(__file__).with_name("leash.py"))
LOOK_S = 0.02
TAIL_LINES = 15


class StartError(Exception):
    """A child did not come up: says which, why, and the end of its log."""


class Child:
    """`log` is appended to. Not started yet when made: `start`, then `ready`."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.name, self.command, self.log = name, list(command), log
        self.environment, self.folder = environment, folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Call from the main thread: the leash is tied to the thread that starts it."""
        assert self.process is None or self.process.poll() is not None, f"{self.name} runs already"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", LEASH, str(os.getpid()), *self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                cwd=self.folder,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        assert self.process is not None, f"{self.name} was never started"
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def ended(self) -> int | None:
        """Exit status (negative: the signal), None while it runs."""
        return self.process.poll() if self.process is not None else None

    async def listening(self, *listeners: int) -> None:
        """Until this very process listens on all of these ports. Raises StartError when it ends first."""
        while not all(ports.listens(self.pid, port) for port in listeners):
            self.check()
            await asyncio.sleep(LOOK_S)

    @asynccontextmanager
    async def starting(self, timeout_s: float) -> AsyncIterator[None]:
        """The block must end in time, else StartError with the end of the log."""
        try:
            async with asyncio.timeout(timeout_s):
                yield
        except TimeoutError as error:
            raise StartError(self.complaint(f"is not ready after {timeout_s:g} s")) from error

    def check(self) -> None:
        """Raises StartError when it has ended."""
        if not self.running:
            raise StartError(self.complaint(f"ended with status {self.ended}"))

    def complaint(self, what: str) -> str:
        return f"{self.name} {what}; the end of {self.log}:\n{self.tail()}"

    def tail(self) -> str:
        try:
            lines = self.log.read_text(errors="replace").splitlines()
        except OSError:
            return "(no log)"
        return "\n".join(lines[-TAIL_LINES:]) or "(empty)"

    async def wait(self) -> int:
        """Until it has ended, by whatever cause; its exit status."""
        if self.running:
            ended, loop = asyncio.Event(), asyncio.get_running_loop()
            watch = os.pidfd_open(self.pid)
            loop.add_reader(watch, ended.set)
            try:
                await ended.wait()
            finally:
                loop.remove_reader(watch)
                os.close(watch)
        assert self.process is not None, f"{self.name} was never started"
        return self.process.wait()

    async def stop(self, patience_s: float = 10.0) -> None:
        """SIGTERM, then SIGKILL when that takes too long. Nothing when it has ended."""
        self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(patience_s):
                await self.wait()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """SIGKILL to it and to all it started, and wait for it."""
        self.signal(signal.SIGKILL)
        await self.wait()

    def signal(self, number: signal.Signals) -> None:
        """To its whole process group; nothing when it has ended."""
        if self.running:
            os.killpg(self.pid, number)
