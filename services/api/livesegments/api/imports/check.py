"""What would become of a file, before anything does: its columns, how many rows are taken, why others
aren't."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import Any

from msgspec import Struct

from livesegments.api.imports.mapping import Plan, Reader, guessed
from livesegments.api.imports.table import Form, rows
from livesegments.api.imports.work import Files
from livesegments.core.fault import Fault
from livesegments.store.jobs import Job

MOST_ROWS = 200_000
"""So many rows are checked at most; of more, the first."""
LOOKED_AT = 500
"""Rows by which types are guessed."""
SHOWN = 10
TOLD = 20


class ColumnSeen(Struct):
    name: str
    samples: list[str]
    type: str


class Refusal(Struct):
    row: int
    column: str
    code: str
    message: str


class Checked(Struct):
    """`whole`: all rows were looked at. `reasons`: (column, code) → how many rows."""

    columns: list[ColumnSeen]
    rows: int = 0
    whole: bool = True
    accepted: int = 0
    refused: int = 0
    preview: list[dict[str, Any]] = []
    faults: list[Refusal] = []
    reasons: dict[tuple[str, str], int] = {}


def check(files: Files, job: Job, form: Form, plan: Plan | None) -> Checked:
    """Blocks. Raises Unsuitable, or FileNotFoundError."""
    with files.whole(job) as file:
        head = [row.cells for row in islice(rows(file, form), LOOKED_AT) if not row.fault]
    checked = Checked([_seen(name, [cells[at] for cells in head]) for at, name in enumerate(form.header)])
    if plan is None:
        return checked
    reader, reasons = Reader(plan, form.header), Counter[tuple[str, str]]()
    with files.whole(job) as file:
        for row in rows(file, form):
            if row.number > MOST_ROWS:
                checked.whole = False
                break
            checked.rows = row.number
            read = reader.read(row)
            if isinstance(read, dict):
                checked.accepted += 1
                if len(checked.preview) < SHOWN:
                    checked.preview.append(read)
                continue
            checked.refused += 1
            reasons.update({(each.pointer, each.code) for each in read})
            checked.faults += [_told(row.number, each) for each in read][: TOLD - len(checked.faults)]
    checked.reasons = dict(reasons.most_common(TOLD))
    return checked


def _told(row: int, fault: Fault) -> Refusal:
    return Refusal(row, fault.pointer, fault.code, fault.message)


def _seen(name: str, cells: list[str]) -> ColumnSeen:
    samples = list(dict.fromkeys(each.strip() for each in cells if each.strip()))[:3]
    return ColumnSeen(name, [each[:100] for each in samples], guessed(cells))
