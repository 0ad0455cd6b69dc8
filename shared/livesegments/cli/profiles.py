"""`livesegments profiles ID…`: chosen values of many profiles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from livesegments.cli import output
from livesegments.cli.files import ids_of
from livesegments.cli.problem import Problem
from livesegments.cli.verb import Call, verb
from livesegments.client import profiles as api

MOST = 1_000
"""Of one request."""


@verb()
def profiles(
    call: Call,
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="The profiles' ids.")] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", metavar="FILE", help="Ids, one a line; `-`: standard input."),
    ] = None,
    field: Annotated[
        list[str] | None,
        typer.Option(
            "--field",
            metavar="NAME",
            help="The value of this attribute, or of `computed:ID`; repeatable.",
        ),
    ] = None,
) -> None:
    """Chosen attributes of many profiles, 1,000 a request."""
    wanted = list(dict.fromkeys([*(ids or []), *ids_of(file)]))
    if not wanted:
        raise Problem("no profile is named", advice="give ids, or --file FILE with one id a line")
    names = list(dict.fromkeys(field or []))
    unknown: list[str] = []
    for start in range(0, len(wanted), MOST):
        found = call.client.ask(api.read_all(wanted[start : start + MOST], fields=names))
        if not start:
            output.warnings(found["warnings"])
        unknown += found["unknown"]
        if not call.printed(*found["profiles"]) and found["profiles"]:
            output.table("", ("profile", *names), [_row(each, names) for each in found["profiles"]])
    if unknown:
        shown = ", ".join(unknown[:5]) + (" …" if len(unknown) > 5 else "")
        output.errors.print(f"{len(unknown):,} of these ids are no profile's: {shown}", markup=False)


def _row(found: dict[str, Any], names: list[str]) -> tuple[Any, ...]:
    return found["profile"], *(found["fields"].get(name) for name in names)
