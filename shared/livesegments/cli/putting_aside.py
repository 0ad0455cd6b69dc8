"""`livesegments segments archive`, `unarchive`, `clone`, `used-by`."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from livesegments.cli import building, output
from livesegments.cli.verb import Call, verb
from livesegments.client import segments

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The segment's id.")]


@verb()
def archive(
    call: Call,
    segment: IdArgument,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until all members have left.")] = False,
) -> None:
    """Put a segment aside: its members leave it; definition, name and versions stay.

    Refused while other segments refer to it (`segments used-by`). `segments list --state archived` has those
    that are archived, `segments unarchive` takes one up again.
    """
    found = call.client.ask(segments.archive(segment))
    while wait and found["count"]:
        time.sleep(building.POLL_S)
        found = call.client.ask(segments.read(segment))
    _say(call, "archived", found)


@verb()
def unarchive(
    call: Call,
    segment: IdArgument,
    wait: building.WaitOption = False,
) -> None:
    """Take an archived segment up again: it is built from history, and a static one has its list back."""
    found = call.client.ask(segments.unarchive(segment))
    if wait:
        (found,) = building.until_ready(call.client, [segment])
    _say(call, "taken up again:", found)
    if wait and not call.as_json:
        output.say(f"{found['id']} is ready: {found['count']:,} members")


@verb()
def clone(
    call: Call,
    segment: IdArgument,
    name: Annotated[str | None, typer.Option(help="The copy's name; without it `NAME (copy)`.")] = None,
    id_: Annotated[str | None, typer.Option("--id", help="The copy's id; without it one is made.")] = None,
    members: Annotated[bool, typer.Option("--members", help="Copy the list of a static one, too.")] = False,
) -> None:
    """Make another segment like this one. The list of a static segment is copied with --members."""
    given = {field: value for field, value in (("name", name), ("new_id", id_)) if value is not None}
    made = call.client.ask(segments.clone(segment, members=members, **given))
    _say(call, "created", made)


@verb()
def used_by(
    call: Call,
    segment: IdArgument,
) -> None:
    """What needs a segment, so that it can't be deleted: segments, computed attributes, subscriptions."""
    users = call.client.ask(segments.used_by(segment))["used_by"]
    if call.tabled(users, "nothing needs it"):
        rows = [(each["kind"].replace("_", " "), each["id"], each["name"]) for each in users]
        output.table("", ("kind", "id", "name"), rows)


def _say(call: Call, what: str, segment: dict[str, Any]) -> None:
    if not call.printed(segment):
        output.console.print(f"{what} {segment['id']} ({segment['name']})", markup=False)
