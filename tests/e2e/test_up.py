"""The life of `livesegments up`: what it starts, what it keeps, and that nothing of it stays."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from livesegments.cli import settle
from livesegments.cli.client import Client
from tests.e2e.conftest import COMMAND, START_S

BUYERS = {"id": "buyers", "name": "Buyers", "definition": {"type": "event", "name": "Order Completed"}}
ORDER = {"userId": "ada", "event": "Order Completed", "properties": {"total": 42}}


class Up:
    """One run of `up` in a data folder."""

    process: Process
    told: dict[str, str]
    said = ""

    def __init__(self, data: Path) -> None:
        self.data = data

    async def start(self, *arguments: str) -> Up:
        self.process = await asyncio.create_subprocess_exec(
            COMMAND, "up", "--json", "--data", str(self.data), *arguments, stdout=PIPE, stderr=PIPE
        )
        assert self.process.stdout is not None
        async with asyncio.timeout(START_S):
            self.told = json.loads(await self.process.stdout.readline())
        return self

    def children(self) -> dict[int, str]:
        """Pid → what it runs."""
        found = {}
        for entry in Path("/proc").iterdir():
            with suppress(OSError, ValueError):  # not a process, or one that has just ended
                words = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(words[1]) == self.process.pid:
                    found[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ")
        return found

    def child(self, words: str) -> int:
        return next(pid for pid, command in self.children().items() if words in command)

    async def hears(self, words: str) -> None:
        """Waits until it has said so on standard error."""
        assert self.process.stderr is not None
        async with asyncio.timeout(START_S):
            while words not in self.said:
                line = await self.process.stderr.readline()
                assert line, self.said
                self.said += line.decode()

    async def end(self, how: signal.Signals) -> tuple[int, bytes]:
        """Exit status, and what it printed after its one line."""
        children = [os.pidfd_open(pid) for pid in self.children()]
        self.process.send_signal(how)
        out, _ = await asyncio.wait_for(self.process.communicate(), START_S)
        async with asyncio.timeout(60):
            for child in children:
                await _ended(child)
        assert self.process.returncode is not None
        return self.process.returncode, out

    def call(self, method: str, path: str, **request: Any) -> Any:
        with Client(self.told["api"], self.told["api_key"]) as client:
            return client.call(method, path, **request)

    def settle(self) -> None:
        with Client(self.told["api"], self.told["api_key"]) as client:
            settle.wait(client, START_S)


async def _ended(watch: int) -> None:
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_reader(watch, ended.set)
    await ended.wait()
    loop.remove_reader(watch)
    os.close(watch)


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def exists(file: Path) -> bool:
    return file.exists()


@pytest.mark.timeout(300)
async def test_a_life(tmp_path: Path) -> None:
    up = await Up(tmp_path).start("--workers", "2", "--api-workers", "2")
    first = up.told
    assert len(up.children()) == 9  # Kafka, Valkey, ingest, two apis, two evaluators, notify, console
    assert mode(tmp_path / "up.json") == mode(tmp_path / "keys.json") == 0o600
    assert json.loads((tmp_path / "up.json").read_text()) == first
    await asyncio.to_thread(up.call, "POST", "/v1/segments", json=BUYERS)
    await asyncio.to_thread(up.settle)  # adopted: from here on its events count
    async with httpx.AsyncClient(base_url=first["ingest"], auth=(first["write_key"], "")) as client:
        assert (await client.post("/v1/track", json=ORDER)).status_code == 200
    await asyncio.to_thread(up.settle)
    members = await asyncio.to_thread(up.call, "GET", "/v1/segments/buyers/members")
    assert members["members"] == ["ada"]

    async with httpx.AsyncClient(base_url=first["console"]) as client:
        assert "Sign in" in (await client.get("/segments", follow_redirects=True)).text

    refused = await asyncio.create_subprocess_exec(COMMAND, "up", "--data", str(tmp_path), stderr=PIPE)
    assert b"is in use by another" in (await refused.communicate())[1] and refused.returncode == 1

    os.kill(killed := up.child("livesegments.evaluator"), signal.SIGKILL)
    await up.hears("ended with status -9; again in 0.2 s")
    await up.hears("is back")
    assert len(up.children()) == 9 and killed not in up.children()
    assert await up.end(signal.SIGINT) == (0, b"")
    assert not exists(tmp_path / "up.json")
    assert not exists(tmp_path / "crashes.json")  # who was asked to end did not crash

    await up.start("--no-console")
    assert up.told == first | {"console": ""}  # the same addresses, workspace and keys
    members = await asyncio.to_thread(up.call, "GET", "/v1/segments/buyers/members")
    assert members["members"] == ["ada"]
    assert (await up.end(signal.SIGKILL))[0] == -signal.SIGKILL  # and its children are gone, too


async def test_more_workers_than_partitions_are_refused(tmp_path: Path) -> None:
    refused = await asyncio.create_subprocess_exec(
        COMMAND, "up", "--workers", "9", "--data", str(tmp_path), stderr=PIPE
    )
    assert b"9 workers for 8 partitions" in (await refused.communicate())[1] and refused.returncode == 1


async def test_a_wrong_setting_is_named_and_nothing_started(tmp_path: Path) -> None:
    refused = await asyncio.create_subprocess_exec(
        COMMAND, "up", "--data", str(tmp_path / "data"),
        stderr=PIPE, env=os.environ | {"LIVESEGMENTS_PARTITONS": "4"},
    )  # fmt: skip
    assert b"partitons" in (await refused.communicate())[1] and refused.returncode == 1
    assert not exists(tmp_path / "data")


async def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused = await asyncio.create_subprocess_exec(
        COMMAND, "up", "--data", str(tmp_path / "file"), stderr=PIPE
    )
    said = (await refused.communicate())[1].decode()
    assert refused.returncode == 1 and "file can't be used" in said and "Traceback" not in said


@pytest.mark.parametrize(("name", "address"), [("REDIS", "redis://127.0.0.1:1"), ("KAFKA", "127.0.0.1:1")])
async def test_an_address_where_nothing_answers_is_told_at_once(
    tmp_path: Path, name: str, address: str
) -> None:
    refused = await asyncio.create_subprocess_exec(
        COMMAND, "up", "--data", str(tmp_path), stderr=PIPE,
        env=os.environ | {"LIVESEGMENTS_KAFKA": "127.0.0.1:1", f"LIVESEGMENTS_{name}": address},
    )  # fmt: skip
    said = (await refused.communicate())[1].decode()
    assert refused.returncode == 1 and f"is LIVESEGMENTS_{name} right" in said
