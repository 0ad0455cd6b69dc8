"""What a person or a program reads: tables, or one JSON document a line; problems on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from livesegments.cli.problem import Problem

WIDE = 200
"""Columns where no terminal is: output for another program isn't folded at 80."""


class Output(Console):
    """Rich would exit with status 1 when a reader has enough (`| head -1`); `main.Commands` does better."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


console = Output(highlight=False, width=None if sys.stdout.isatty() else WIDE)
errors = Output(stderr=True, highlight=False, width=None if sys.stderr.isatty() else WIDE)


def json(document: Any) -> None:
    sys.stdout.write(msgspec.json.encode(document).decode() + "\n")
    sys.stdout.flush()


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], numbers: Sequence[str] = ()
) -> None:
    """`numbers` names the columns that are set flush right."""
    if title:
        console.print(Text(title, "italic"))
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(shown(cell)) for cell in row))
    console.print(made)


def fields(rows: Mapping[str, Any]) -> None:
    """One thing's fields, one a line; those that are None are left out."""
    width = max(map(len, rows))
    for name, value in rows.items():
        if value is not None:
            console.print(Text.assemble((f"{name:<{width}}  ", "bold"), shown(value)))


def say(line: str) -> None:
    """Beside the result: on standard error."""
    errors.print(Text(line, "dim"))


def problem(found: Problem) -> None:
    """A sentence, each fault with its pointer, and what to do next."""
    errors.print(Text.assemble(("error: ", "bold red"), found.message))
    for fault in found.faults:
        where = (f"{fault.pointer}  ", "yellow") if fault.pointer else ""
        errors.print(Text.assemble("  ", where, f"{fault.message} ", (f"[{fault.code}]", "dim")))
    if found.advice:
        errors.print(Text.assemble(("next: ", "bold"), found.advice))


def warnings(found: Iterable[Mapping[str, str]], of: str = "") -> None:
    """Warnings with their pointers: the command has done its work all the same.

    `of` names what they are about, where the command is about several: its other words are in another stream.
    """
    for warning in found:
        where = (f"{warning['pointer']}  ", "yellow") if warning["pointer"] else ""
        told = f"{warning['message']} "
        about = f"{of}  " if of else ""
        errors.print(
            Text.assemble(("warning: ", "bold yellow"), about, where, told, (f"[{warning['code']}]", "dim"))
        )


def shown(value: Any) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case str():
            return value
        case list() | tuple():
            return ", ".join(map(shown, value))
        case _:
            return msgspec.json.encode(value).decode()


def count(number: int, what: str) -> str:
    """`1 profile`, `1,204 profiles`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def instant(iso: str | None, zone: ZoneInfo) -> str:
    """An instant as the api gives it, to the second, in `zone`: which the table's column names."""
    return "–" if iso is None else f"{datetime.fromisoformat(iso).astimezone(zone):%Y-%m-%d %H:%M:%S}"


def named_instant(iso: str, zone: ZoneInfo) -> str:
    """An instant that stands alone, with its zone's name."""
    return f"{instant(iso, zone)} ({zone})"
