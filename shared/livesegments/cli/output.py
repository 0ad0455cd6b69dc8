"""What a person or a program reads: tables, or one JSON document a line; problems on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from livesegments.cli.client import Problem

WIDE = 200
"""Columns where nobody looks: what another program reads isn't folded at 80."""

console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
errors = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else WIDE)


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


def instant(iso: str | None) -> str:
    """An instant as the api tells it, in UTC, to the second."""
    return "–" if iso is None else f"{datetime.fromisoformat(iso).astimezone(UTC):%Y-%m-%d %H:%M:%S}"
