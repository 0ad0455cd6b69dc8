"""`livesegments computed …`: put, list, show and delete computed attributes."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from livesegments.cli import context, files, output, paths, zone
from livesegments.cli.client import Client
from livesegments.cli.problem import Problem

app = typer.Typer(help="Put, list, show and delete computed attributes.", no_args_is_help=True)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The computed attribute's id.")]


@app.command("put")
def put(
    computed: IdArgument,
    file: Annotated[str, typer.Option("--file", "-f", help="Its JSON; `-` is standard input.")],
    api: context.ApiOption = None,
    key: context.KeyOption = None,
    workspace: context.WorkspaceOption = None,
    data: context.DataOption = context.DATA,
    as_json: context.JsonOption = False,
) -> None:
    """Make a computed attribute, or replace it: members of the segments that ask about it enter and leave by
    that.

    The file has `name` or `names`, `where`, `window`, `measure`, and a `description`, if you like:
    {"name": "order", "window": {"last": "90d"}, "measure": {"of": "sum", "property": "total"}}
    """
    document = files.read(file)
    if not isinstance(document, dict):
        raise Problem(
            f"{files.named(file)} is no JSON object", advice='write it as {"name": …, "measure": …}'
        )
    target = context.api(api, key, workspace, data)
    with Client(target.url, target.key, target.workspace) as client:
        found = client.call("PUT", paths.computed(computed), json=document)
    if as_json:
        output.json(found)
        return
    output.say(
        f"{found['id']} (version {found['version']}) is {found['state']}, asked about by {_users(found)}"
    )


@app.command("list")
def list_(
    api: context.ApiOption = None,
    key: context.KeyOption = None,
    workspace: context.WorkspaceOption = None,
    data: context.DataOption = context.DATA,
    as_json: context.JsonOption = False,
) -> None:
    """Every computed attribute with its state."""
    target = context.api(api, key, workspace, data)
    with Client(target.url, target.key, target.workspace) as client:
        found = client.call("GET", paths.COMPUTED)["computed_attributes"]
        if as_json:
            for each in found:
                output.json(each)
            return
        local = zone.of(client)
    if not found:
        output.say("no computed attributes yet: `livesegments computed put ID -f FILE` makes one")
        return
    rows = [
        (
            each["id"],
            each["definition"]["measure"].get("of", "count"),
            each["state"],
            len(each["used_by"]),
            output.instant(each["updated_at"], local),
        )
        for each in found
    ]
    columns = ("id", "measure", "state", "segments", f"updated ({local})")
    output.table("", columns, rows, numbers=("segments",))


@app.command("show")
def show(
    computed: IdArgument,
    api: context.ApiOption = None,
    key: context.KeyOption = None,
    workspace: context.WorkspaceOption = None,
    data: context.DataOption = context.DATA,
) -> None:
    """A computed attribute: its definition, its state, and the segments that ask about it, as JSON."""
    target = context.api(api, key, workspace, data)
    with Client(target.url, target.key, target.workspace) as client:
        output.json(client.call("GET", paths.computed(computed)))


@app.command("delete")
def delete(
    computed: IdArgument,
    api: context.ApiOption = None,
    key: context.KeyOption = None,
    workspace: context.WorkspaceOption = None,
    data: context.DataOption = context.DATA,
) -> None:
    """Delete a computed attribute; refused while segments ask about it."""
    target = context.api(api, key, workspace, data)
    with Client(target.url, target.key, target.workspace) as client:
        client.call("DELETE", paths.computed(computed))
    output.say(f"deleted {computed}")


def _users(found: dict[str, Any]) -> str:
    users = found["used_by"]
    return f"{len(users):,} segment{'' if len(users) == 1 else 's'}"
