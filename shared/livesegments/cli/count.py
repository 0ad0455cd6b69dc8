"""`livesegments count ID`: how many profiles are in a segment."""

from __future__ import annotations

from typing import Annotated

import typer

from livesegments.cli import output
from livesegments.cli.verb import Call, verb
from livesegments.client import segments


@verb()
def count(
    call: Call,
    segment: Annotated[str, typer.Argument(metavar="ID", help="The segment's id.")],
) -> None:
    """How many profiles are in a segment now: a number alone."""
    found = call.client.ask(segments.count(segment))
    if not call.printed(found):
        output.console.print(found["count"])
