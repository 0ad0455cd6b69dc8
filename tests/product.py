"""`livesegments up --json --clock log` as anyone starts it: a process, spoken to by commands. One for a whole session of tests,
whose segments and profiles have ids of their own.

A command that is run to its end is a fork of a process that has imported all commands: its start would cost more than all that
it does. Those that are begun, and those of pages of the documentation, start as anyone starts them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from tests.forked import Commands

COMMAND = str(Path(sys.executable).with_name("livesegments"))
PRODUCT = "product"
START_S = 240
"""Everything starts anew; where other tests want the machine, too, that takes long."""
RUN_S = 120


class Ran(Struct):
    status: int
    out: str
    err: str

    @property
    def documents(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


class Product:
    """The running product; `run` gives a command its data folder, and waits for its end."""

    def __init__(self, data: Path, up: dict[str, str], process: Process) -> None:
        self.data, self.up, self.process = data, up, process
        self.commands = Commands()

    async def begin(self, *arguments: str) -> Process:
        return await asyncio.create_subprocess_exec(
            COMMAND, *arguments, "--data", str(self.data), stdin=PIPE, stdout=PIPE, stderr=PIPE
        )

    async def run(self, *arguments: str, stdin: str = "") -> Ran:
        async with asyncio.timeout(RUN_S):
            return Ran(*await self.commands.run([*arguments, "--data", str(self.data)], stdin))

    async def json(self, *arguments: str, stdin: str = "") -> list[Any]:
        """The documents that a command prints; it must end with status 0."""
        ran = await self.run(*arguments, "--json", stdin=stdin)
        assert ran.status == 0, ran.err
        return ran.documents


running: list[Process] = []


def end_product() -> None:
    """Tells it to end, and doesn't wait. Nothing after it asks for it."""
    while running:
        with suppress(ProcessLookupError):
            running.pop().send_signal(signal.SIGTERM)


@pytest.fixture(scope="session", name=PRODUCT)
async def product(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    data = tmp_path_factory.mktemp("up")
    environment = os.environ | {"LIVESEGMENTS_SOURCE_HOSTS": "127.0.0.1"}
    with (data.parent / "up.err").open("wb") as err:
        process = await asyncio.create_subprocess_exec(
            *(COMMAND, "up", "--json", "--clock", "log", "--data", str(data)),
            stdout=PIPE,
            stderr=err,
            env=environment,
        )
    running.append(process)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_S):
            line = await process.stdout.readline()
        assert line, (data.parent / "up.err").read_text()
        product = Product(data, json.loads(line), process)
        yield product
        await product.commands.end()
    finally:
        end_product()
        async with asyncio.timeout(START_S):
            await process.wait()
