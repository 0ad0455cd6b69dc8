"""`livesegments watch [ID]`: transitions as they happen."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.text import Text

from livesegments.cli import output
from livesegments.cli.verb import Call, verb


@verb()
def watch(
    call: Call,
    segment: Annotated[str | None, typer.Argument(metavar="[ID]", help="Only this segment's.")] = None,
    backfill: Annotated[
        bool,
        typer.Option("--backfill", help="Also who enters or leaves because a definition got its history."),
    ] = False,
) -> None:
    """Every profile that enters or leaves a segment, from now on, until interrupted."""
    watched = segment or "every segment"

    def opened(place: str) -> None:
        output.errors.print(f"watching {watched}; interrupt (Ctrl+C) to end", style="dim")

    for transition in call.client.transitions(segment, backfill=backfill, opened=opened):
        _tell(transition, call.as_json)


def _tell(transition: dict[str, Any], as_json: bool) -> None:
    if as_json:
        output.json(transition)
        return
    entered = transition["kind"] == "entered"
    output.console.print(
        Text.assemble(
            (f"{transition['at']}  ", "dim"),
            (f"{transition['kind']:<8}", "green" if entered else "red"),
            f"{transition['segment']}  {transition['profile']}  ",
            (transition["cause"], "dim"),
        )
    )
