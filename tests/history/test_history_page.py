"""The queries of docs/history.md are run as they stand there, over an archive with merged and stray files."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from livesegments.core.event import Event, Transition
from livesegments.history import schema
from livesegments.history.archive import Archive
from livesegments.history.ranges import Range
from livesegments.store.tail import Applied

PAGE = (Path(__file__).parents[2] / "docs" / "history.md").read_text("utf-8")
QUERIES = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
NOON_MS = int(NOON.timestamp() * 1000)
DAY_MS = 86_400_000


def order(profile: str, day: int, commit: int, total: str) -> Applied:
    time_ms = NOON_MS + day * DAY_MS
    event = Event(f"{profile}-{commit}", "shop", profile, "Order Completed", time_ms, {"total": float(total)})
    return Applied(event, time_ms, commit, 0)


def move(profile: str, kind: Any, sequence: int, cause: Any) -> Transition:
    return Transition(
        f"{profile}-{sequence}", "shop", "vip", profile, kind, NOON_MS, sequence, cause, None, 1
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files that were merged into a third, and are still there."""
    archive, one, two = Archive(str(tmp_path)), Range(1, 1, "a"), Range(2, 3, "a")
    archive.write(
        12,
        one,
        schema.events_table([order("ada", 0, 1, "12.5")]),
        schema.transitions_table([(1, [move("ada", "entered", 1, "event")])]),
    )
    archive.write(
        12,
        two,
        schema.events_table([order("ada", 1, 2, "7.25"), order("bob", 0, 3, "1")]),
        schema.transitions_table(
            [(2, [move("bob", "entered", 1, "event")]), (3, [move("ada", "exited", 2, "clock")])]
        ),
    )
    archive.merge(12, [one, two], Range(1, 3, "b"))
    return tmp_path


def ask(folder: Path, number: int) -> list[tuple[Any, ...]]:
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        return db.execute(QUERIES[number].replace("ARCHIVE", str(folder))).fetchall()


def test_the_newest_events_of_a_profile(folder: Path) -> None:
    assert [(name, properties) for _, name, properties in ask(folder, 0)] == [
        ("Order Completed", '{"total":7.25}'),
        ("Order Completed", '{"total":12.5}'),
    ]


def test_orders_and_turnover_by_day(folder: Path) -> None:
    assert ask(folder, 1) == [
        (date(2026, 7, 1), 2, Decimal("13.50")),
        (date(2026, 7, 2), 1, Decimal("7.25")),
    ]


def test_who_entered_and_left_by_day_and_cause(folder: Path) -> None:
    assert ask(folder, 2) == [
        ("vip", date(2026, 7, 1), "clock", 0, 1),
        ("vip", date(2026, 7, 1), "event", 2, 0),
    ]


def test_the_page_names_every_column() -> None:
    tables = PAGE.split("## The files")[1].split("## Three queries")[0]
    for field in (*schema.EVENTS, *schema.TRANSITIONS):
        assert f"`{field.name}`" in tables, field.name
