"""`livesegments segments versions`, `diff`, `rollback`: the definitions that a segment has had."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer
from rich.text import Text

from livesegments.cli import building, output
from livesegments.cli.verb import Call, verb
from livesegments.client import segments
from livesegments.client import versions as had

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The segment's id.")]
SIGNS = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow")}


@verb()
def versions(call: Call, segment: IdArgument) -> None:
    """The definitions that a segment has had, the newest first: by whom, since when, until when."""
    found = call.client.ask(had.read_all(segment))["versions"]
    if call.printed(*found):
        return
    local = call.zone
    output.table(
        "",
        ("version", f"since ({local})", "until", "by", "definition"),
        [
            (
                each["version"],
                output.instant(each["since"], local),
                "now" if each["until"] is None else output.instant(each["until"], local),
                each["by"] or "",
                "a list" if each["definition"] is None else msgspec.json.encode(each["definition"]).decode(),
            )
            for each in found
        ],
        numbers=("version",),
    )


@verb()
def diff(
    call: Call,
    segment: IdArgument,
    version: Annotated[int | None, typer.Argument(metavar="[N]", help="Without it the present one.")] = None,
    against: Annotated[int | None, typer.Option(help="An earlier one; without it the one before.")] = None,
) -> None:
    """What a definition has changed, part by part, against the one before it or an earlier one."""
    number = call.client.ask(segments.read(segment))["definition_version"] if version is None else version
    found = call.client.ask(had.diff(segment, number, against=against))
    if call.printed(found):
        return
    before = "nothing" if found["before"] is None else f"version {found['before']}"
    by = f", by {found['by']}" if found["by"] else ""
    output.console.print(Text(f"version {found['after']} against {before}{by}"))
    for each in found["changes"]:
        sign, colour = SIGNS[each["kind"]]
        values = [msgspec.json.encode(each[name]).decode() for name in ("before", "after")]
        said = {"added": values[1], "removed": values[0], "changed": " → ".join(values)}[each["kind"]]
        place = each["pointer"] or "/"
        output.console.print(Text.assemble((f"{sign} {place}", colour), f"  {said}"))


@verb()
def rollback(
    call: Call,
    segment: IdArgument,
    version: Annotated[int, typer.Argument(metavar="N", help="The number of an earlier definition.")],
    wait: building.WaitOption = False,
) -> None:
    """Give a segment an earlier definition again, as a new version of it."""
    made = call.client.ask(had.roll_back(segment, version))
    if not call.printed(made):
        number = made["definition_version"]
        output.console.print(Text(f"{made['id']} has the definition {version} again, as version {number}"))
        output.warnings(made["warnings"])
    if wait:
        (ready,) = building.until_ready(call.client, [segment])
        output.say(f"{ready['id']} is ready: {ready['count']:,} members")
