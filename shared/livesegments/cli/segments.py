"""`livesegments segments …`: create, list, show, edit, delete definitions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

import msgspec
import typer
from rich.text import Text

from livesegments.cli import context, output
from livesegments.cli.client import Client, Problem

app = typer.Typer(help="Create, list, show, edit and delete segments.", no_args_is_help=True)

Sort = Literal["name", "created", "updated", "size"]
FIXED = ("id", "type")
EDITABLE = frozenset({"name", "description", "tags", "definition"})

FileOption = Annotated[
    str, typer.Option("--file", "-f", help="JSON of one segment, or an array of them; `-` is standard input.")
]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The segment's id.")]


def read(file: str) -> Any:
    """Raises Problem when it isn't there or isn't JSON."""
    try:
        return msgspec.json.decode(sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes())
    except OSError as error:
        raise Problem(
            f"{_named(file)} can't be read: {error.strerror}", advice="give the file of a segment with -f"
        ) from error
    except msgspec.DecodeError as error:
        raise Problem(f"{_named(file)} is not JSON: {error}", advice="correct it, then repeat") from error


def _named(file: str) -> str:
    return "standard input" if file == "-" else file


def path_of(segment: str) -> str:
    return f"/v1/segments/{quote(segment, safe='')}"


@app.command("create")
def create(
    file: FileOption,
    api: context.ApiOption = None,
    key: context.KeyOption = None,
    workspace: context.WorkspaceOption = None,
    data: context.DataOption = context.DATA,
    as_json: context.JsonOption = False,
) -> None:
    """Create a segment, or several in the file's order (one that others refer to comes first)."""
    body = read(file)
    target = context.api(api, key, workspace, data)
    with Client(target.url, target.key, target.workspace) as client:
        several = body if isinstance(body, list) else [body]
        for number, segment in enumerate(several, 1):
            try:
                made = client.call("POST", "/v1/segments", json=segment)
            except Problem as problem:
                if len(several) > 1:
                    problem.message = f"segment {number} of {len(several)}: {problem.message}"
                raise
            _tell("created", made, as_json)


@app.command("list")
def list_(
    search: Annotated[str | None, typer.Option(help="Only those with this in name or description.")] = None,
    sort: Annotated[Sort, typer.Option(help="By what the list is sorted.")] = "name",
    desc: Annotated[bool, typer.Option("--desc", help="The other way round: newest, largest first.")] = False,
    api: context.ApiOption = None,
    key: context.KeyOption = None,
    workspace: context.WorkspaceOption = None,
    data: context.DataOption = context.DATA,
    as_json: context.JsonOption = False,
) -> None:
    """Every segment with its size and state."""
    target = context.api(api, key, workspace, data)
    with Client(target.url, target.key, target.workspace) as client:
        query = {"sort": sort, "order": "desc" if desc else "asc"} | ({"search": search} if search else {})
        found = list(client.pages("/v1/segments", "segments", **query))
    if as_json:
        for segment in found:
            output.json(segment)
        return
    if not found:
        fits = f"no segment has '{search}' in its name or description"
        output.say(fits if search else "no segments yet: `livesegments segments create -f FILE` makes one")
        return
    output.table(
        "",
        ("id", "name", "type", "members", "state", "updated"),
        [
            (s["id"], s["name"], s["type"], s["count"], _state(s), output.instant(s["updated_at"]))
            for s in found
        ],
        numbers=("members",),
    )


@app.command("show")
def show(
    segment: IdArgument,
    api: context.ApiOption = None,
    key: context.KeyOption = None,
    workspace: context.WorkspaceOption = None,
    data: context.DataOption = context.DATA,
    as_json: context.JsonOption = False,
) -> None:
    """One segment: its definition, state, progress and size."""
    target = context.api(api, key, workspace, data)
    with Client(target.url, target.key, target.workspace) as client:
        found = client.call("GET", path_of(segment))
    if as_json:
        output.json(found)
        return
    rows = {
        "id": found["id"],
        "name": found["name"],
        "description": found["description"] or None,
        "tags": found["tags"] or None,
        "type": found["type"],
        "members": found["count"],
        "state": _state(found),
        "complete since": found["complete_since"] and output.instant(found["complete_since"]),
        "created": output.instant(found["created_at"]),
        "updated": output.instant(found["updated_at"]),
        "version": f"{found['version']} (of the definition: {found['definition_version']})",
    }
    width = max(map(len, rows))
    for name, value in rows.items():
        if value is not None:
            output.console.print(Text.assemble((f"{name:<{width}}  ", "bold"), output.shown(value)))
    if found["definition"] is not None:
        output.console.print()
        output.console.print_json(data=found["definition"])


@app.command("edit")
def edit(
    segment: IdArgument,
    file: FileOption,
    api: context.ApiOption = None,
    key: context.KeyOption = None,
    workspace: context.WorkspaceOption = None,
    data: context.DataOption = context.DATA,
    as_json: context.JsonOption = False,
) -> None:
    """Change what the file names (name, description, tags, definition); the rest stays.

    The file may be the one that it was created from, or what `show --json` printed.
    """
    body = read(file)
    target = context.api(api, key, workspace, data)
    with Client(target.url, target.key, target.workspace) as client:
        answer = client.send("GET", path_of(segment))
        patch = changes(body, answer.json(), _named(file))
        if patch:
            headers = {"If-Match": answer.headers["ETag"]}
            _tell("edited", client.call("PATCH", path_of(segment), json=patch, headers=headers), as_json)
        else:
            _tell("unchanged:", answer.json(), as_json)


def changes(body: Any, old: dict[str, Any], file: str) -> Any:
    """What of `body` is to be changed: neither what is so already, nor what `show` tells but nobody sets.

    Raises Problem when it is another segment's.
    """
    if not isinstance(body, dict):
        raise Problem(f"{file} is not one segment", advice="give a JSON object of what to change")
    for name in FIXED:
        if name in body and body[name] != old[name]:
            raise Problem(
                f"{file} has {name} '{body[name]}', but the segment's is '{old[name]}', for good",
                advice="give the file of this segment, or create another (`livesegments segments create`)",
            )
    return {
        name: value
        for name, value in body.items()
        if name not in old or (name in EDITABLE and value != old[name])
    }


@app.command("delete")
def delete(
    segment: IdArgument,
    api: context.ApiOption = None,
    key: context.KeyOption = None,
    workspace: context.WorkspaceOption = None,
    data: context.DataOption = context.DATA,
    as_json: context.JsonOption = False,
) -> None:
    """Delete a segment; its members leave it, profiles are untouched."""
    target = context.api(api, key, workspace, data)
    with Client(target.url, target.key, target.workspace) as client:
        client.call("DELETE", path_of(segment))
    _tell("deleted", {"id": segment}, as_json)


def _tell(what: str, segment: dict[str, Any], as_json: bool) -> None:
    if as_json:
        output.json(segment)
    else:
        name = f" ({segment['name']})" if "name" in segment else ""
        output.console.print(Text.assemble(f"{what} ", (segment["id"], "bold"), name))


def _state(segment: dict[str, Any]) -> str:
    progress = segment["progress"]
    if segment["state"] == "ready":
        return "ready"
    return f"{segment['state']}: {progress['done']:,} of {progress['total']:,} profiles"
