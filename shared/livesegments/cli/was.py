"""`livesegments was PROFILE SEGMENT --at T`: whether a profile was in a segment at an instant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.text import Text

from livesegments.cli import nodes, output
from livesegments.cli.explain import behind
from livesegments.cli.verb import Call, verb
from livesegments.client import members


@verb()
def was(
    call: Call,
    profile: Annotated[str, typer.Argument(metavar="PROFILE", help="The profile's id.")],
    segment: Annotated[str, typer.Argument(metavar="SEGMENT", help="The segment's id.")],
    at: Annotated[str, typer.Option("--at", metavar="T", help="The instant: `2025-12-24T18:00:00Z`.")],
    events: Annotated[
        int, typer.Option(min=0, max=50, help="The most events to show behind a condition.")
    ] = 3,
) -> None:
    """Whether a profile was in a segment at an instant, as it was announced then, and why."""
    found = call.client.ask(members.was(segment, profile, at, events=events))
    if call.printed(found):
        return
    local = call.zone
    verb = "was" if found["in"] else "was not"
    told = f"{profile} {verb} in {segment} on {output.instant(found['at'], local)}"
    if found["since"] is not None:
        told += (
            f", since {output.instant(found['since'], local)} (version {found['version']}, {found['cause']})"
        )
    output.console.print(f"{told} ({local})", markup=False, soft_wrap=True)
    for line in _why(found, local):
        output.console.print(line, soft_wrap=True)


def _why(found: dict[str, Any], local: ZoneInfo) -> Iterator[Text]:
    """What the definition of that time saw, as a tree."""
    if not found["why"]:
        yield Text("nothing was known of the profile then", "dim")
    elif found["version"] not in (None, found["why_version"]):
        yield Text(f"version {found['why_version']} of the definition saw:", "dim")
    for node in found["why"]:
        indent = "  " * len([part for part in node["pointer"].split("/") if part == "of"])
        mark = ("✓ ", "green") if node["holds"] else ("✗ ", "red")
        definition = found["definition"]
        head = "on the list" if definition is None else nodes.words(definition, node["pointer"])
        value = "" if node["value"] is None else f"  ← {output.shown(node['value'])}"
        yield Text.assemble(indent, mark, head, (value, "dim"))
        for event in node["events"]:
            yield behind(event, local, indent)
