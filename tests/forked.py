"""`livesegments …` without what its start costs: a process that has everything imported, and forks for each command.

It is told by one line of JSON what to run: `{"arguments", "folder", "environment", "files"}`, of which the last are the
paths of standard input, output and error. It answers with the exit status. One command at a time.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import traceback
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

FLAGS = (os.O_RDONLY, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)


class Commands:
    """Runs commands; the process starts with the first one, and ends with ours."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._turn = asyncio.Lock()

    async def run(self, arguments: list[str], stdin: str) -> tuple[int, str, str]:
        """Status, output, error."""
        async with self._turn:
            if self._process is None:
                command = (sys.executable, "-P", __file__)
                self._process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
            with TemporaryDirectory() as folder:
                files = [Path(folder, name) for name in ("in", "out", "err")]
                files[0].write_text(stdin)
                asked = {
                    "arguments": arguments,
                    "folder": os.getcwd(),  # noqa: PTH109
                    "environment": dict(os.environ),
                    "files": list(map(str, files)),
                }
                status = await self._ask(self._process, asked)
                return status, files[1].read_text(), files[2].read_text()

    @staticmethod
    async def _ask(process: Process, asked: object) -> int:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(asked).encode() + b"\n")
        await process.stdin.drain()
        return int(await process.stdout.readline())

    async def end(self) -> None:
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            await self._process.wait()


def serve() -> None:
    from livesegments.cli.main import COMMANDS, loaded  # noqa: PLC0415

    for name in COMMANDS:
        if name not in {"up", "demo"}:  # they import all services
            loaded(name)
    import httpx  # noqa: F401, PLC0415

    gc.freeze()  # else a fork's first look for garbage would copy all of it
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            _command(**asked)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(status, flush=True)


def _command(arguments: list[str], folder: str, environment: dict[str, str], files: list[str]) -> NoReturn:
    """What the console script does, in this process; its exit status is this process's."""
    from livesegments.cli.main import main  # noqa: PLC0415

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, (file, flags) in enumerate(zip(files, FLAGS, strict=True)):
        opened = os.open(file, flags)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.argv = ["livesegments", *arguments]
    try:
        main()
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 0
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # at once: nothing of the process that it was forked from has to be taken down


if __name__ == "__main__":
    serve()
