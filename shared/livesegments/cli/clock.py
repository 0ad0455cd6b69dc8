"""`livesegments clock T`: moves every partition's clock on (mode `log`), and waits until that is done."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from livesegments.cli import output, settle
from livesegments.cli.problem import Problem
from livesegments.cli.verb import Call, verb
from livesegments.client import operations

UTC = ZoneInfo("UTC")
"""No workspace's: all workspaces share the clock."""


@verb("stack")
def clock(
    call: Call,
    to: Annotated[str, typer.Argument(metavar="T", help="ISO 8601 instant, or milliseconds UTC.")],
    timeout: settle.TimeoutOption = settle.TIMEOUT_S,
) -> None:
    """Move every partition's clock to T, let everything due by then fire, and settle.

    In clock mode `log`. It never goes back, and all workspaces share it: the key needs the scope `operate`.
    """
    client = call.client
    before = [part.clock for part in settle.read(client).partitions]
    moved = client.ask(operations.move_clock(int(to) if to.lstrip("-").isdecimal() else to))
    lag = settle.wait(client, timeout)
    behind(moved["to"], before)
    if not call.printed(lag):
        first = min(part.clock or "" for part in lag.partitions)
        output.console.print(f"every partition's clock stands at {output.instant(first, UTC)} UTC or later")


def behind(to: str, before: list[str | None]) -> None:
    """Raises Problem where every partition's clock was past `to` before: then nothing has moved."""
    first = min((clock or "" for clock in before), default="")
    if first > to:  # both as the api writes instants, which sort like text
        raise Problem(
            f"no clock was moved: each stood at {first} or later already, and a clock never goes back",
            advice=f"give an instant after {first}",
        )
