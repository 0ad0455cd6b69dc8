"""The console script: which modules a command imports, and how it ends."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from livesegments.cli.main import COMMANDS, loaded

SCRIPT = str(Path(sys.executable).with_name("livesegments"))
LISTED = (
    "import sys; from livesegments.cli.main import main\n"
    "sys.argv = ['livesegments', *sys.argv[1:]]\n"
    "try: main()\n"
    "except SystemExit: pass\n"
    "print('\\n'.join(sys.modules), file=sys.stderr)"
)
HEAVY = {
    "asyncio",
    "httpx",
    "rich.progress",
    "aiokafka",
    "redis",
    "duckdb",
    "faust",
    "fastapi",
    "zoneinfo",
}


def imported(*arguments: str) -> set[str]:
    ran = subprocess.run(
        [sys.executable, "-c", LISTED, *arguments], capture_output=True, text=True, check=False
    )
    return set(ran.stderr.split("\n"))


def test_the_version_is_printed_without_any_command() -> None:
    ran = subprocess.run([SCRIPT, "--version"], capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("livesegments ")
    modules = imported("--version")
    assert "livesegments.cli.main" in modules
    assert not HEAVY & modules
    ours = {name for name in modules if name.startswith("livesegments.")}
    assert {name for name in ours if name.startswith("livesegments.cli.")} == {
        "livesegments.cli.main",
        "livesegments.cli.problem",
    }


@pytest.mark.parametrize(
    ("arguments", "needless"),
    [
        (
            ["members", "x"],
            {"aiokafka", "redis", "duckdb", "faust", "fastapi", "prometheus_client", "structlog"},
        ),
        (
            ["segments", "list"],
            {
                "aiokafka",
                "redis",
                "duckdb",
                "faust",
                "fastapi",
                "prometheus_client",
                "rich.progress",
                "pygments",
            },
        ),
        (["count", "x"], {"aiokafka", "redis", "duckdb", "faust", "fastapi", "prometheus_client", "click"}),
    ],
)
def test_a_command_imports_only_its_own(arguments: list[str], needless: set[str]) -> None:
    modules = imported(*arguments, "--api", "http://127.0.0.1:1", "--key", "k")
    others = {COMMANDS[name].partition(":")[0] for name in COMMANDS if name != arguments[0]}
    assert "httpx" in modules
    assert not needless & modules
    assert not others & modules


def test_every_command_can_be_loaded_and_has_help() -> None:
    for name in COMMANDS:
        assert loaded(name).help, name
    ran = subprocess.run([SCRIPT, "--help"], capture_output=True, text=True, check=True)
    assert all(name in ran.stdout for name in COMMANDS)


def test_a_similar_command_is_suggested() -> None:
    ran = subprocess.run([SCRIPT, "member"], capture_output=True, text=True, check=False)
    assert ran.returncode == 2 and "members" in ran.stderr


def test_a_reader_that_has_enough_is_no_failure() -> None:
    """`--help` stands for all commands: a pipe that is closed before the first byte is written."""
    out, into = os.pipe()
    os.close(out)
    with io.FileIO(into, "w") as closed:
        ran = subprocess.run([SCRIPT, "--version"], stdout=closed, stderr=subprocess.PIPE, check=False)
    assert (ran.returncode, ran.stderr) == (0, b"")
