"""`livesegments flow ID`: who entered and left a segment day by day, and its size, as a small plot."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from livesegments.cli import output
from livesegments.cli.verb import Call, verb
from livesegments.client import planning

WIDTH = 30
"""Columns of the plot's longest bar."""


@verb()
def flow(
    call: Call,
    segment: Annotated[str, typer.Argument(metavar="ID", help="The segment's id.")],
    days: Annotated[int, typer.Option(min=1, max=400, help="How many days, today among them.")] = 30,
) -> None:
    """Who entered and exited by day and cause, and the size at each day's end."""
    found = call.client.ask(planning.flow(segment, days=days))
    if call.printed(found):
        return
    most = max((day["size"] for day in found["days"]), default=0) or 1
    output.table(
        f"flow of {segment}",
        ("day", "entered", "exited", "size", "", "by"),
        [
            (
                day["day"],
                f"+{day['entered']:,}" if day["entered"] else "",
                f"−{day['exited']:,}" if day["exited"] else "",
                day["size"],
                "█" * -(-WIDTH * day["size"] // most),
                ", ".join(map(_cause, day["causes"])),
            )
            for day in found["days"]
        ],
        numbers=("entered", "exited", "size"),
    )


def _cause(part: dict[str, Any]) -> str:
    counts = [f"+{part['entered']:,}"] * bool(part["entered"]) + [f"−{part['exited']:,}"] * bool(
        part["exited"]
    )
    return f"{part['cause']} {' '.join(counts)}"
