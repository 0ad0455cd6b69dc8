"""`livesegments keys …`: list, create and delete the keys of a workspace. All but `own` need an admin key."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.text import Text

from livesegments.cli import context, output
from livesegments.cli.problem import Problem
from livesegments.cli.verb import Call, verb
from livesegments.client import keys as api
from livesegments.client import workspaces

app = typer.Typer(
    help="List, create and delete keys (with an admin key), or see what your own opens.", no_args_is_help=True
)


class Scope(StrEnum):
    """The scopes that a key may have."""

    ingest = "ingest"
    read = "read"
    write = "write"
    operate = "operate"


OfOption = Annotated[
    str | None, typer.Option("--workspace", "-w", help="Whose keys; else the workspace that `up` made.")
]


@app.command("list")
@verb("admin")
def list_(call: Call, workspace: OfOption = None) -> None:
    """A workspace's keys, the oldest first, without their secrets."""
    of = _workspace(workspace, call.data)
    found = call.client.ask(api.read_all(of))["keys"]
    if not call.tabled(
        found, f"{of} has no keys: `livesegments keys create NAME -s SCOPE -w {of}` makes one"
    ):
        return
    local = ZoneInfo(call.client.ask(workspaces.read(of))["timezone"])
    rows = [
        (each["id"], each["name"], each["scopes"], output.instant(each["created_at"], local))
        for each in found
    ]
    output.table("", ("id", "name", "scopes", f"created ({local})"), rows)


@app.command("own")
@verb()
def own(call: Call) -> None:
    """What the key opens with which commands ask: its workspace and its scopes."""
    found = call.client.ask(api.own())
    if not call.printed(found):
        output.fields({"workspace": found["workspace"] or "all of them", "scopes": found["scopes"]})


@app.command("create")
@verb("admin")
def create(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for, for people.")],
    scopes: Annotated[
        list[Scope], typer.Option("--scope", "-s", help="What it may do; give it once for every scope.")
    ],
    workspace: OfOption = None,
) -> None:
    """Create a key. Its secret is printed this once: only a digest of it is kept."""
    of = _workspace(workspace, call.data)
    made = call.client.ask(api.create(of, name, [each.value for each in scopes]))
    if call.printed(made):
        return
    output.say(f"created {made['id']} ({made['name']}: {', '.join(made['scopes'])}); keep the secret, it is:")
    output.console.print(Text(made["key"]), soft_wrap=True)


@app.command("delete")
@verb("admin")
def delete(
    call: Call,
    id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `list` shows it.")],
    workspace: OfOption = None,
) -> None:
    """Delete a key: from now on it opens nothing."""
    of = _workspace(workspace, call.data)
    call.client.ask(api.revoke(of, id))
    if not call.printed({"id": id}):
        output.console.print(Text.assemble("deleted ", (id, "bold")))


def _workspace(given: str | None, data: Path) -> str:
    """Raises Problem where none is given and no `up` has made one."""
    up = context.read_up(data)
    if given is None and up is None:
        raise Problem("the workspace is not known", advice="name it with --workspace")
    return given if given is not None else up.workspace  # type: ignore[union-attr]
