"""`livesegments send` as a process, against an ingest that answers as a test says."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest

from tests.cli.server import Answer, Request, serving
from tests.cli.test_sender import Ingest

COMMAND = str(Path(sys.executable).with_name("livesegments"))
OWN, TRACK = {"profile": "p", "name": "n"}, {"type": "track", "userId": "p", "event": "n"}


async def begin(url: str, file: str, *options: str) -> Process:
    return await asyncio.create_subprocess_exec(
        COMMAND, "send", file, "--ingest", url, "--key", "wk", *options, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )


async def ended(process: Process, stdin: bytes = b"") -> tuple[int | None, str, str]:
    async with asyncio.timeout(60):
        out, err = await process.communicate(stdin)
    return process.returncode, out.decode(), err.decode()


async def test_a_file_of_both_forms_and_of_all_that_can_be_wrong_with_one(tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    parts = [
        b"\xef\xbb\xbf" + json.dumps(OWN).encode(), json.dumps(TRACK).encode() + b"\r", b"", b"{", b"\xff\xfe",
        b'{"x":"' + b"y" * 10_000_000 + b'"}', json.dumps(OWN | {"bad": True}).encode(), json.dumps(TRACK).encode(),
    ]  # fmt: skip
    file.write_bytes(b"\n".join(parts))
    ingest = Ingest()
    async with serving(ingest) as url:
        status, out, _ = await ended(await begin(url, str(file), "--json"))
        assert (status, json.loads(out)["accepted"]) == (1, 3)
        told = {item["line"]: item["code"] for item in json.loads(out)["refused"]}
        assert told == {4: "malformed", 5: "malformed", 6: "too_long", 7: "bad"}
        sent = [item for batch in ingest.batches for item in batch]
        assert ["type" in item for item in sent] == [False, True, False, True], "in the file's order"
        status, out, err = await ended(await begin(url, str(file)))
        assert (status, out) == (1, "3 accepted, 4 refused\n")
        assert [line for line in err.splitlines() if line.startswith("line")][-1] == "line 7: says so [bad]"
        assert "next:" in err


async def test_an_event_accepted_without_its_odd_parts_is_named(tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_bytes(b"\n".join(json.dumps(OWN | more).encode() for more in ({}, {"odd": True})))
    async with serving(Ingest()) as url:
        status, out, _ = await ended(await begin(url, str(file), "--json"))
        told = json.loads(out)
        assert (status, told["accepted"], told["refused"]) == (0, 2, [])
        assert told["partial"] == [{"line": 2, "code": "odd", "reason": "says so", "partial": True}]
        status, out, err = await ended(await begin(url, str(file)))
    assert (status, out) == (0, "2 accepted (1 only in part), 0 refused\n")
    assert "line 2: accepted without its odd parts: says so [odd]" in err and "next:" in err


@pytest.mark.parametrize("content", [b"", b"\n\n"])
async def test_an_empty_file_is_no_error(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "events.ndjson"
    file.write_bytes(content)
    ran = await ended(await begin("http://127.0.0.1:9", str(file)))
    assert ran == (0, "0 accepted, 0 refused\n", "")


@pytest.mark.parametrize("name", ["missing", "."])
async def test_a_file_that_can_not_be_read_is_said_to_be_so(tmp_path: Path, name: str) -> None:
    status, _, err = await ended(await begin("http://127.0.0.1:9", str(tmp_path / name)))
    assert status == 1 and "can't be read" in err and "next:" in err


async def test_a_pipe_s_events_go_at_once_and_ctrl_c_ends_it() -> None:
    came, ingest = asyncio.Event(), Ingest()

    def hear(request: Request) -> Answer:
        came.set()
        return ingest(request)

    async with serving(hear) as url, asyncio.timeout(60):
        process = await begin(url, "-")
        assert process.stdin is not None
        process.stdin.write(json.dumps(OWN).encode() + b"\n")
        await came.wait()
        process.stdin.write(json.dumps(OWN).encode() + b"\n")
        came.clear()
        await came.wait()
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 130
        assert process.stdout is not None
        assert b" accepted, 0 refused" in await process.stdout.read()


async def test_a_wrong_key_ends_it_while_it_waits_for_more() -> None:
    def refuse(_: Request) -> Answer:
        return Answer(401, {"title": "Unauthorized", "detail": "no such key"})

    async with serving(refuse) as url, asyncio.timeout(60):
        process = await begin(url, "-")
        assert process.stdin is not None and process.stderr is not None and process.stdout is not None
        process.stdin.write(json.dumps(OWN).encode() + b"\n")
        assert await process.wait() == 1
        assert b"no such key" in await process.stderr.read()
        assert await process.stdout.read() == b"0 accepted, 0 refused\n"
