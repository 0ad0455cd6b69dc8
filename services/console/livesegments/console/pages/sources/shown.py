"""A source and its last run as texts: pure."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from livesegments.client.sources import LastRun, Source
from livesegments.console import formats

KINDS = {"done": "good", "held": "warn", "failed": "bad"}
EVERY = {0: "when it is asked for", 3_600: "every hour", 86_400: "every day", 604_800: "every week"}


def origin(it: Source) -> str:
    """Where it is read from."""
    if it.url or it.path:
        return formats.short(it.url or it.path, 200)
    what = f"the table {it.table}" if it.table else "a query" if it.query else "its file"
    return formats.short(f"{it.connection}: {what}", 200)


def every(seconds: int) -> str:
    return EVERY.get(seconds) or f"every {formats.span(timedelta(seconds=seconds))}"


def share(value: float) -> str:
    """0.5 as 50 %."""
    return f"{formats.number(round(100 * value, 2))} %"


def rules(it: Source, zone: ZoneInfo) -> list[tuple[str, str]]:
    """What holds for it, as names and values."""
    pairs = [("It is read from", origin(it))]
    if it.query:
        pairs.append(("Query", formats.short(it.query, 2_000)))
    if not it.connection:
        pairs.append(("Form", it.format.upper()))
    pairs += [
        ("Ids are in", f"the column {formats.short(it.column)}" if it.column else "the first column"),
        ("It is read", every(it.every_s)),
        ("Next run", formats.moment(it.next_at, zone) if it.next_at else "when it is asked for"),
        ("A run is held that takes off", f"more than {share(it.most_gone)} of the members, or all"),
    ]
    return pairs


def figures(run: LastRun) -> list[tuple[str, str]]:
    """The numbers of a run that has ended."""
    numbers = [("Rows", run.rows), ("Put on the list", run.added), ("Taken off", run.removed)]
    if run.odd:
        numbers.append(("Rows without an id", run.odd))
    if run.gone:
        numbers.append(("Would have gone", run.gone))
    return [(name, formats.number(value)) for name, value in numbers]


def when(run: LastRun, zone: ZoneInfo) -> str:
    took = formats.span(run.ended_at - run.begun_at)
    return f"{formats.exact(run.begun_at, zone)}, in {took}"
