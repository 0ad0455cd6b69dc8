"""`livesegments count ID`: how many profiles are in a segment."""

from __future__ import annotations

from typing import Annotated

import typer

from livesegments.cli import output, paths
from livesegments.cli.verb import Call, verb


@verb()
def count(
    call: Call,
    segment: Annotated[str, typer.Argument(metavar="ID", help="The segment's id.")],
) -> None:
    """How many profiles are in a segment now: a number alone."""
    found = call.client.call("GET", f"{paths.segment(segment)}/count")
    if not call.printed(found):
        output.console.print(found["count"])
