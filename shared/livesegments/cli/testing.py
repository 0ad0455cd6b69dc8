"""`livesegments segments test`: the tests that are stored with segments, run against their definitions."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.text import Text

from livesegments.cli import output
from livesegments.cli.verb import Call, verb
from livesegments.client import segments as api
from livesegments.client import trials


@verb()
def test(
    call: Call,
    segments: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]…", help="Segments; without any all that have tests.")
    ] = None,
) -> None:
    """Run the tests of segments against their definitions as they are now. The exit status is 1 if any fails.

    Each edit runs the tests of its segment, and is refused where one fails. This also shows what the edit of
    another segment, of a value list or of the time zone has changed.
    """
    client = call.client
    if segments:
        ids = segments
    else:
        found = client.each(api.page(limit=1_000))
        ids = [each["id"] for each in found if each["tests"]]
        if not ids:
            output.say("no segment has tests: give it some in its field `tests`")
            return
    results = {id_: client.ask(trials.run(id_)) for id_ in ids}
    if not call.printed(*({"segment": id_, **each} for id_, each in results.items())):
        for id_, each in results.items():
            _show(id_, each["tests"])
    if not all(each["passed"] for each in results.values()):
        raise typer.Exit(1)


def _show(segment: str, tests: list[dict[str, Any]]) -> None:
    for test in tests:
        mark = ("passed", "green") if test["passed"] else ("failed", "bold red")
        output.console.print(Text.assemble(mark, f"  {segment}: {test['name']}"))
        if test["why"] is not None:
            output.console.print(Text(f"        {test['why']}"))
        for seen in test["seen"] if test["why"] is None else ():
            if seen["in"] != seen["expected"]:
                words = "in" if seen["in"] else "not in"
                output.console.print(Text(f"        at {seen['at']} it is {words} the segment"))
