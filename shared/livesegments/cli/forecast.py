"""`livesegments forecast ID`: how many members a segment loses and gains if nothing happens."""

from __future__ import annotations

from typing import Annotated

import typer

from livesegments.cli import output
from livesegments.cli.verb import Call, verb
from livesegments.client import planning


@verb()
def forecast(
    call: Call,
    segment: Annotated[str, typer.Argument(metavar="ID", help="The segment's id.")],
) -> None:
    """How many members leave and enter by the clock alone, within 24 h, 7 d and 30 d."""
    found = call.client.ask(planning.forecast(segment))
    if call.printed(found):
        return
    local = call.zone
    output.table(
        f"forecast of {segment}, if nothing happens",
        ("within", f"until ({local})", "leave", "enter"),
        [
            (
                each["within"],
                output.instant(each["until"], local),
                _count(each["leave"], each["leave_margin"]),
                _count(each["enter"], each["enter_margin"]),
            )
            for each in found["ahead"]
        ],
        numbers=("leave", "enter"),
    )
    if found["looked_at"] < found["of"]:
        output.say(f"from {found['looked_at']:,} of {found['of']:,} profiles, drawn at random")


def _count(count: int, margin: int) -> str:
    return f"{count:,} ± {margin:,}" if margin else f"{count:,}"
