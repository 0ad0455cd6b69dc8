"""`livesegments segments …`: create, list, show, edit, delete definitions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
import typer

from livesegments.cli import context, output
from livesegments.cli.client import Client, Problem

app = typer.Typer(help="Create, list, show, edit and delete segments.", no_args_is_help=True)

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
            f"{file} can't be read: {error.strerror}", advice="give the file of a segment with -f"
        ) from error
    except msgspec.DecodeError as error:
        raise Problem(f"{file} is not JSON: {error}", advice="correct it, then repeat") from error


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
        for segment in body if isinstance(body, list) else [body]:
            _tell("created", client.call("POST", "/v1/segments", json=segment), as_json)


@app.command("list")
def list_(
    search: Annotated[str | None, typer.Option(help="Only those with this in name or description.")] = None,
    api: context.ApiOption = None,
    key: context.KeyOption = None,
    workspace: context.WorkspaceOption = None,
    data: context.DataOption = context.DATA,
    as_json: context.JsonOption = False,
) -> None:
    """Every segment with its size and state."""
    target = context.api(api, key, workspace, data)
    with Client(target.url, target.key, target.workspace) as client:
        found = list(client.pages("/v1/segments", "segments", **({"search": search} if search else {})))
    if as_json:
        for segment in found:
            output.json(segment)
        return
    output.table(
        "",
        ("id", "name", "members", "state", "updated"),
        [
            (s["id"], s["name"], s.get("count"), s.get("state"), output.instant(s.get("updated_at")))
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
    output.table("", ("field", "value"), [(k, v) for k, v in found.items() if k != "definition"])
    if found.get("definition") is not None:
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
    """Change what the file names (name, description, tags, definition); the rest stays."""
    body = read(file)
    target = context.api(api, key, workspace, data)
    with Client(target.url, target.key, target.workspace) as client:
        etag = client.send("GET", path_of(segment)).headers["ETag"]
        _tell(
            "edited", client.call("PATCH", path_of(segment), json=body, headers={"If-Match": etag}), as_json
        )


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
        output.console.print(
            f"{what} [bold]{segment['id']}[/]" + (f" ({segment['name']})" if "name" in segment else "")
        )
