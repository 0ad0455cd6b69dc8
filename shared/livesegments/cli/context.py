"""The address and the key of a command: from an option, else the environment, else the file that `up`
leaves.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from msgspec import Struct

from livesegments.cli.problem import Problem

UP_FILE = "up.json"

ApiOption = Annotated[
    str | None, typer.Option("--api", envvar="LIVESEGMENTS_API_URL", help="Address of the api.")
]
IngestOption = Annotated[
    str | None, typer.Option("--ingest", envvar="LIVESEGMENTS_INGEST_URL", help="Address of ingest.")
]
KeyOption = Annotated[
    str | None, typer.Option("--key", envvar="LIVESEGMENTS_API_KEY", help="The workspace's API key.")
]
WriteKeyOption = Annotated[
    str | None, typer.Option("--key", envvar="LIVESEGMENTS_WRITE_KEY", help="The workspace's write key.")
]
AdminKeyOption = Annotated[
    str | None, typer.Option("--key", envvar="LIVESEGMENTS_ADMIN_KEY", help="An admin key.")
]
WorkspaceOption = Annotated[
    str | None, typer.Option("--workspace", "-w", help="Act in this workspace (needs an admin key).")
]
DataOption = Annotated[
    Path, typer.Option("--data", envvar="LIVESEGMENTS_DATA", help="The data folder of `livesegments up`.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one document a line.")]
DATA = Path(".livesegments")


class Up(Struct, frozen=True):
    """Addresses and keys: `livesegments up --json` prints them, and its data folder has them in `up.json`."""

    ingest: str
    api: str
    kafka: str
    redis: str
    workspace: str
    write_key: str
    api_key: str
    admin_key: str
    console: str = ""
    """Empty: none was asked for."""


class Target(Struct, frozen=True):
    """`url` without a trailing slash; `workspace` is set only where an admin key names it."""

    url: str
    key: str
    workspace: str | None = None


def command() -> str:
    """How the reader calls us: by name where that is found, else by path."""
    return "livesegments" if shutil.which("livesegments") else sys.argv[0]


def read_up(data: Path) -> Up | None:
    """None where no `up` has left its file. Raises Problem when it can't be read."""
    path = data / UP_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Up)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise Problem(f"{path} can't be read: {error}", advice="start `livesegments up` again") from error


def write_up(data: Path, up: Up) -> None:
    """It holds keys: for its owner's eyes only, and never half written."""
    fresh = data / f"{UP_FILE}.new"
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123
        file.write(msgspec.json.encode(up))
    fresh.replace(data / UP_FILE)


def api(url: str | None, key: str | None, workspace: str | None, data: Path) -> Target:
    """Raises Problem, saying what to give, where the address or the key is not known."""
    up = read_up(data)
    if workspace is not None and key is None and up is not None and workspace != up.workspace:
        key = up.admin_key
    return _target(
        "api",
        url or (up.api if up else None),
        key or (up.api_key if up else None),
        workspace,
        data,
        "API_KEY",
    )


def admin(url: str | None, key: str | None, data: Path) -> Target:
    """The api with an admin key. Raises Problem, saying what to give, where one is not known."""
    up = read_up(data)
    return _target(
        "api", url or (up.api if up else None), key or (up.admin_key if up else None), None, data, "ADMIN_KEY"
    )


def ingest(url: str | None, key: str | None, data: Path) -> Target:
    """Raises Problem, saying what to give, where the address or the key is not known."""
    up = read_up(data)
    return _target(
        "ingest", url or (up.ingest if up else None), key or (up.write_key if up else None), None, data,
        "WRITE_KEY",
    )  # fmt: skip


def _target(
    what: str, url: str | None, key: str | None, workspace: str | None, data: Path, variable: str
) -> Target:
    missing = [name for name, value in ((f"--{what}", url), ("--key", key)) if not value]
    variables = {f"--{what}": f"{what.upper()}_URL", "--key": variable}
    if missing or url is None or key is None:
        raise Problem(
            f"{' and '.join(missing)} not known: no {data / UP_FILE} here",
            advice="start `livesegments up` in this folder, name its folder with --data, or give "
            + " and ".join(f"{name} (LIVESEGMENTS_{variables[name]})" for name in missing),
        )
    return Target(url.rstrip("/"), key, workspace)
