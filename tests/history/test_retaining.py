"""Files without the events that a workspace doesn't keep any longer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from livesegments.core.event import KNOWN, PROFILE, RETRACT, Event
from livesegments.history import schema
from livesegments.history.archive import Archive
from livesegments.history.ranges import Range
from livesegments.history.retaining import FEW, retain
from livesegments.store.tail import Applied

DAY = 86_400_000
OLD, NEW, CUT = 10 * DAY, 30 * DAY, 20 * DAY


def file(archive: Archive, of: Range, *events: Event) -> Range:
    rows = [Applied(event, event.time_ms, of.first, place) for place, event in enumerate(events)]
    archive.write(0, of, schema.events_table(rows), schema.transitions_table(()))
    return of


def rows(archive: Archive, of: Range) -> list[tuple[str, str, str]]:
    table: Any = pq.read_table(archive.path(0, "events", of))
    return [(row["workspace"], row["profile"], row["name"]) for row in table.to_pylist()]


def event(profile: str, name: str = "order", at: int = OLD, workspace: str = "shop") -> Event:
    return Event(f"{profile}-{name}-{at}", workspace, profile, name, at, {"event_id": "x"})


def test_old_events_go_and_what_says_who_a_profile_is_stays(tmp_path: Path) -> None:
    archive = Archive(str(tmp_path))
    of = file(
        archive,
        Range(1, 5, "aaaaaaaa"),
        event("ada"),
        event("ada", at=NEW),
        event("bob"),
        event("bob", "visit", OLD + 1),
        event("cid", PROFILE),
        event("cid", RETRACT),
        event("cid"),
        event("ada", workspace="other"),
    )
    found = retain(archive, 0, [of], {"shop": CUT}, "bbbbb01")
    (pruned,) = found.pruned
    assert found.workspaces == ["shop"] and pruned.old == of
    assert rows(archive, pruned.new) == [
        ("other", "ada", "order"),
        ("shop", "ada", "order"),
        ("shop", "bob", KNOWN),
        ("shop", "cid", PROFILE),
        ("shop", "cid", RETRACT),
    ]
    assert len(rows(archive, of)) == 8, "the old file stays until it is removed"
    assert not retain(archive, 0, [pruned.new], {"shop": CUT}, "bbbbb02").pruned, "nothing more to drop"


def test_a_few_files_at_once_and_those_without_old_events_stay(tmp_path: Path) -> None:
    archive = Archive(str(tmp_path))
    files = [file(archive, Range(at, at, "aaaaaaaa"), event("ada")) for at in range(1, FEW + 2)]
    files.append(file(archive, Range(FEW + 2, FEW + 2, "aaaaaaaa"), event("ada", at=NEW)))
    first = retain(archive, 0, files, {"shop": CUT}, "bbbbb01").pruned
    assert [each.old for each in first] == files[:FEW]
    left = [*(each.new for each in first), *files[FEW:]]
    (last,) = retain(archive, 0, left, {"shop": CUT}, "bbbbb01").pruned
    assert last.old == files[FEW]
