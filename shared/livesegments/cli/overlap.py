"""`livesegments overlap A B`: how many profiles are in both of two segments, or in all of several."""

from __future__ import annotations

from typing import Annotated

import typer

from livesegments.cli import output
from livesegments.cli.problem import Problem
from livesegments.cli.verb import Call, verb
from livesegments.client import planning


@verb()
def overlap(
    call: Call,
    segments: Annotated[list[str], typer.Argument(metavar="ID ID ...", help="Two to five ids of segments.")],
) -> None:
    """How many profiles are in both of two segments; of several, in every group of them."""
    if len(segments) < 2:
        raise Problem("one segment overlaps nothing", advice="give two to five ids")
    found = call.client.ask(planning.overlap(segments))
    if call.printed(found):
        return
    sizes = {group["segments"][0]: group["count"] for group in found["groups"] if len(group["segments"]) == 1}
    output.table(
        "",
        ("in all of", "profiles", "of the smallest"),
        [
            (
                " and ".join(group["segments"]),
                group["count"],
                _share(group["count"], group["segments"], sizes),
            )
            for group in found["groups"]
        ],
        numbers=("profiles", "of the smallest"),
    )
    output.console.print(f"in at least one: {found['union']:,}")


def _share(count: int, group: list[str], sizes: dict[str, int]) -> str:
    smallest = min(sizes[each] for each in group)
    return f"{count / smallest:.0%}" if smallest and len(group) > 1 else ""
