"""`livesegments keys …`: list, create and delete the keys of a workspace. Needs an admin key."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from livesegments.cli import context, output, paths, zone
from livesegments.cli.client import Client
from livesegments.cli.problem import Problem

app = typer.Typer(help="List, create and delete keys (with an admin key).", no_args_is_help=True)


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
def list_(
    workspace: OfOption = None,
    api: context.ApiOption = None,
    key: context.AdminKeyOption = None,
    data: context.DataOption = context.DATA,
    as_json: context.JsonOption = False,
) -> None:
    """A workspace's keys, the oldest first, without their secrets."""
    target, of = context.admin(api, key, data), _workspace(workspace, data)
    with Client(target.url, target.key, of) as client:
        found = client.call("GET", f"{paths.workspace(of)}/keys")["keys"]
        if as_json:
            for each in found:
                output.json(each)
            return
        local = zone.of(client)
    if not found:
        output.say(f"{of} has no keys: `livesegments keys create NAME -s SCOPE -w {of}` makes one")
        return
    rows = [
        (each["id"], each["name"], each["scopes"], output.instant(each["created_at"], local))
        for each in found
    ]
    output.table("", ("id", "name", "scopes", f"created ({local})"), rows)


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for, for people.")],
    scopes: Annotated[
        list[Scope], typer.Option("--scope", "-s", help="What it may do; give it once for every scope.")
    ],
    workspace: OfOption = None,
    api: context.ApiOption = None,
    key: context.AdminKeyOption = None,
    data: context.DataOption = context.DATA,
    as_json: context.JsonOption = False,
) -> None:
    """Create a key. Its secret is printed this once: only a digest of it is kept."""
    target, of = context.admin(api, key, data), _workspace(workspace, data)
    with Client(target.url, target.key) as client:
        body = {"name": name, "scopes": scopes}
        made = client.call("POST", f"{paths.workspace(of)}/keys", json=body)
    if as_json:
        output.json(made)
        return
    output.say(f"created {made['id']} ({made['name']}: {', '.join(made['scopes'])}); keep the secret, it is:")
    output.console.print(Text(made["key"]), soft_wrap=True)


@app.command("delete")
def delete(
    id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `list` shows it.")],
    workspace: OfOption = None,
    api: context.ApiOption = None,
    key: context.AdminKeyOption = None,
    data: context.DataOption = context.DATA,
    as_json: context.JsonOption = False,
) -> None:
    """Delete a key: from now on it opens nothing."""
    target, of = context.admin(api, key, data), _workspace(workspace, data)
    with Client(target.url, target.key) as client:
        client.call("DELETE", paths.key(of, id))
    if as_json:
        output.json({"id": id})
    else:
        output.console.print(Text.assemble("deleted ", (id, "bold")))


def _workspace(given: str | None, data: Path) -> str:
    """Raises Problem where none is given and no `up` has made one."""
    up = context.read_up(data)
    if given is None and up is None:
        raise Problem("the workspace is not known", advice="name it with --workspace")
    return given if given is not None else up.workspace  # type: ignore[union-attr]
