"""`livesegments segments …`: create, list, show, edit, cancel, delete definitions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import typer
from rich.text import Text

from livesegments.cli import (
    building,
    by_attribute,
    creating,
    files,
    output,
    putting_aside,
    putting_in,
    testing,
    versions,
)
from livesegments.cli.client import Client
from livesegments.cli.problem import Problem
from livesegments.cli.verb import Call, verb
from livesegments.client import segments as api
from livesegments.core.sentence.nodes import sentence

app = typer.Typer(help="Create, list, show, edit and delete segments.", no_args_is_help=True)

Sort = Literal["name", "created", "updated", "size"]
Kind = Literal["dynamic", "static"]
State = Literal["building", "ready", "archived"]

FileOption = Annotated[
    str, typer.Option("--file", "-f", help="JSON of one segment, or an array of them; `-` is standard input.")
]
app.command("versions")(versions.versions)
app.command("diff")(versions.diff)
app.command("rollback")(versions.rollback)
app.command("test")(testing.test)
app.command("by-attribute")(by_attribute.by_attribute)
app.command("archive")(putting_aside.archive)
app.command("unarchive")(putting_aside.unarchive)
app.command("clone")(putting_aside.clone)
app.command("put-in")(putting_in.put_in)
app.command("take-out")(putting_in.take_out)
app.command("replace")(putting_in.replace)
app.command("used-by")(putting_aside.used_by)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The segment's id.")]


@app.command("create")
@verb()
def create(
    call: Call,
    file: FileOption,
    upsert: Annotated[
        bool, typer.Option("--upsert", help="Edit those that are there already: the command can be repeated.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check; create and edit nothing.")] = False,
    wait: building.WaitOption = False,
) -> None:
    """Create a segment, or several in the file's order (one that others refer to comes first).

    All are checked first: if one has a fault, none is created. With --upsert a segment whose id is there
    already is edited: the fields in the file are set, its other fields stay.
    """
    several = creating.segments_in(files.read(file), files.named(file))
    client = call.client
    if len(several) > creating.MANY and not dry_run:
        ids = []
        for what, made in creating.created_at_once(client, several, upsert):
            _tell(what, made, call.as_json, several=True)
            ids.append(made["id"])
        if wait:
            _tell_ready(client, ids)
        return
    results = creating.checked(client, several, upsert)
    if dry_run:
        _tell_checked(results, call.as_json)
        return
    ids = []
    for number, (segment, result) in enumerate(zip(several, results, strict=True), 1):
        try:
            what, made = creating.applied(client, segment, result, files.named(file))
        except Problem as problem:
            if len(several) > 1:
                problem.message = f"segment {number} of {len(several)}: {problem.message}"
            raise
        _tell(what, made, call.as_json, len(several) > 1)
        ids.append(made["id"])
    if wait:
        _tell_ready(client, ids)


@app.command("list")
@verb()
def list_(
    call: Call,
    search: Annotated[
        str | None, typer.Option(help="Only those with this in id, name or description.")
    ] = None,
    sort: Annotated[Sort, typer.Option(help="By what the list is sorted.")] = "name",
    tag: Annotated[str | None, typer.Option(help="Only those with this tag.")] = None,
    topic: Annotated[str | None, typer.Option(help="Only those with this topic.")] = None,
    folder: Annotated[str | None, typer.Option(help="Only those in this folder, or within it.")] = None,
    kind: Annotated[Kind | None, typer.Option("--type", help="Only those of this kind.")] = None,
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    desc: Annotated[bool, typer.Option("--desc", help="The other way round: newest, largest first.")] = False,
) -> None:
    """Every segment with its size and state."""
    asked: dict[str, Any] = {
        "search": search,
        "tag": tag,
        "topic": topic,
        "folder": folder,
        "type": kind,
        "state": state,
    }
    filters = {name: value for name, value in asked.items() if value is not None}
    found = list(call.client.each(api.page(sort=sort, order="desc" if desc else "asc", **filters)))
    fits = "no segment fits: " + ", ".join(f"{name} '{value}'" for name, value in filters.items())
    nothing = fits if filters else "no segments yet: `livesegments segments create -f FILE` makes one"
    if not call.tabled(found, nothing):
        return
    local = call.zone
    output.table(
        "",
        ("id", "name", "type", "members", "state", f"updated ({local})"),
        [
            (s["id"], s["name"], s["type"], s["count"], _state(s), output.instant(s["updated_at"], local))
            for s in found
        ],
        numbers=("members",),
    )


@app.command("show")
@verb()
def show(
    call: Call,
    segment: IdArgument,
    watch: Annotated[bool, typer.Option("--watch", help="First wait until it is ready, with a bar.")] = False,
) -> None:
    """One segment: its definition, state, progress and size."""
    if watch:
        building.until_ready(call.client, [segment])
    found = call.client.ask(api.read(segment))
    if call.printed(found):
        return
    local = call.zone
    rows = {
        "id": found["id"],
        "name": found["name"],
        "description": found["description"] or None,
        "tags": found["tags"] or None,
        "folder": found["folder"] or None,
        "topics": found["topics"] or None,
        "type": found["type"],
        "members": found["count"],
        "state": _state(found),
        "complete since": found["complete_since"] and output.named_instant(found["complete_since"], local),
        "created": output.named_instant(found["created_at"], local),
        "updated": output.named_instant(found["updated_at"], local),
        "version": f"{found['version']} (of the definition: {found['definition_version']})",
    }
    output.fields(rows)
    if found["definition"] is not None:
        output.console.print()
        output.console.print(sentence(found["definition"]), markup=False, soft_wrap=True)
        output.console.print_json(data=found["definition"])


@app.command("edit")
@verb()
def edit(
    call: Call,
    segment: IdArgument,
    file: Annotated[
        str, typer.Option("--file", "-f", help="JSON of the fields to change; `-` is standard input.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say who would enter and leave; change nothing.")
    ] = False,
    wait: building.WaitOption = False,
) -> None:
    """Change the fields that the file names; the other fields stay.

    The file is a JSON object with any of `name`, `description`, `tags`, `folder`, `topics` and `definition`:
    for example {"name": "Big spenders"}. It may also be the file that the segment was created from, or what
    `segments show --json` printed: fields that nobody can set are passed over. A definition by itself is
    taken as the new definition.
    """
    body = files.read(file)
    client = call.client
    old = client.ask(api.read(segment))
    if dry_run:
        _tell_planned(creating.planned(client, body, old, files.named(file)), call.as_json)
        return
    _tell(*creating.edited(client, body, old, files.named(file)), call.as_json)
    if wait:
        _tell_ready(client, [segment])


@app.command("cancel")
@verb()
def cancel(call: Call, segment: IdArgument) -> None:
    """Stop building a segment: an edited one goes back to what it was, a new one is deleted."""
    found = call.client.ask(api.cancel_build(segment))
    if call.as_json:
        output.json(found)
    elif found["cancelled"] == "edit":
        _tell("gone back to the definition that was served:", found["segment"], call.as_json)
    else:
        _tell("deleted, as it was new:", {"id": segment}, call.as_json)


@app.command("delete")
@verb()
def delete(call: Call, segment: IdArgument) -> None:
    """Delete a segment; its members leave it, profiles are untouched."""
    call.client.ask(api.delete(segment))
    _tell("deleted", {"id": segment}, call.as_json)


def _tell(what: str, segment: dict[str, Any], as_json: bool, several: bool = False) -> None:
    if as_json:
        output.json(segment)
    else:
        name = f" ({segment['name']})" if "name" in segment else ""
        output.console.print(Text.assemble(f"{what} ", (segment["id"], "bold"), name))
        output.warnings(segment.get("warnings", ()), segment["id"] if several else "")


def _tell_ready(client: Client, ids: list[str]) -> None:
    for segment in building.until_ready(client, ids):
        output.say(f"{segment['id']} is ready: {segment['count']:,} members")


def _tell_planned(plan: dict[str, Any], as_json: bool) -> None:
    if as_json:
        output.json(plan)
        return
    output.fields(
        {
            "members": plan["count"],
            "would enter": plan["entering"],
            "for example": [each["profile"] for each in plan["sample_entering"]] or None,
        }
    )
    output.fields(
        {
            "would leave": plan["leaving"],
            "for example": [each["profile"] for each in plan["sample_leaving"]] or None,
            "segments that follow": plan["dependents"] or None,
            "subscriptions that hear of it": plan["subscriptions"] or None,
        }
    )
    output.warnings(plan["warnings"])


def _tell_checked(results: list[creating.Checked], as_json: bool) -> None:
    for number, result in enumerate(results, 1):
        if as_json:
            output.json(result)
            continue
        would = {"create": "would be created", "edit": "would be edited", "none": "would stay as it is"}
        output.console.print(f"segment {number} {would[result.action]}")
        of = f"segment {number}" if len(results) > 1 else ""
        output.warnings([msgspec.to_builtins(warning) for warning in result.warnings], of)


def _state(segment: dict[str, Any]) -> str:
    progress = segment["progress"]
    if segment["state"] != "building":
        return str(segment["state"])
    return f"{segment['state']}: {progress['done']:,} of {progress['total']:,} profiles"
