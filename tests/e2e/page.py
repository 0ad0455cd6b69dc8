"""The commands of a page of the documentation, run as they stand there.

    `kyiv.json`:          before a fence `json`, `ndjson`, `csv` or `python`: the file that it is.
    $ livesegments …      in a fence `console`: a command for bash, with what it prints below it.

Commands run one after the other in one folder. What they print, on both outputs, is what stands there; `…` is any
text. Addresses and keys are in the environment. A command with nothing below it may print anything, but has to succeed.
"""

from __future__ import annotations

import asyncio
import os
import re
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

from tests.e2e.conftest import COMMAND, RUN_S, Product

FENCE = re.compile(
    r"(?:^`([\w.-]+)`:\n\n)?^```(json|ndjson|csv|python|console)\n(.*?)^```$", re.DOTALL | re.MULTILINE
)
WARNING = re.compile(r"^warning: .*\n?", re.MULTILINE)
"""They say which names were never seen, which depends on what other tests have sent."""


def commands_of(page: Path, folder: Path) -> list[tuple[str, str]]:
    """The page's commands and what they print; its files are written into the folder."""
    found = []
    for name, kind, text in FENCE.findall(page.read_text("utf-8")):
        if kind != "console" and name:
            (folder / name).write_text(text)
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:] if kind == "console" else ():
            command, _, expected = part.partition("\n")
            found.append((command, expected.strip("\n")))
    return found


async def run(
    commands: list[tuple[str, str]], product: Product, folder: Path, packages: Path | None = None
) -> None:
    """`packages`: where Python finds more than is installed."""
    for command, expected in commands:
        status, said = await _shell(command, product, folder, packages)
        if "warning:" not in expected:
            said = WARNING.sub("", said)
        if expected:
            assert re.fullmatch(_pattern(expected), _plain(said), re.DOTALL), f"$ {command}\n{said}"
        else:
            assert status == 0, f"$ {command}\n{said}"


async def _shell(
    command: str, product: Product, folder: Path, packages: Path | None
) -> tuple[int | None, str]:
    env = {
        **os.environ,
        "PATH": f"{Path(COMMAND).parent}{os.pathsep}{os.environ['PATH']}",
        "LIVESEGMENTS_DATA": str(product.data),
        "ADMIN_KEY": product.up["admin_key"],
        "LIVESEGMENTS_API_URL": product.up["api"],
        "LIVESEGMENTS_API_KEY": product.up["api_key"],
        "LIVESEGMENTS_INGEST_URL": product.up["ingest"],
        "LIVESEGMENTS_WRITE_KEY": product.up["write_key"],
        "LIVESEGMENTS_KAFKA": product.up["kafka"],
    }
    if packages is not None:
        env["PYTHONPATH"] = str(packages)
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", command, cwd=folder, env=env, stdout=PIPE, stderr=STDOUT
    )
    async with asyncio.timeout(RUN_S):
        out, _ = await process.communicate()
    return process.returncode, out.decode()


def _pattern(expected: str) -> str:
    """Blanks at the ends of lines don't count, nor how wide a column is, and `…` is any text."""
    lines = (re.escape(line.rstrip()).replace("…", ".*?") for line in _plain(expected).split("\n"))
    return r"[ ]*\n".join(lines) + r"\s*"


def _plain(text: str) -> str:
    return re.sub(" {2,}", "  ", text)
