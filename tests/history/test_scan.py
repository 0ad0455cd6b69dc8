"""A scan in columns gives what the same events give profile by profile."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

import livesegments.history.archive
import livesegments.history.scan
import livesegments.history.stretches
from livesegments.core.bulk import Bulk, order
from livesegments.core.definition import Node
from livesegments.core.event import RETRACT, Event, Transition, derived_from
from livesegments.core.plan import Segment, compile
from livesegments.core.wanted import wanted
from livesegments.history import schema
from livesegments.history.archive import Archive
from livesegments.history.chunk_files import Fills, fills, put_chunk
from livesegments.history.columns import profiles_of
from livesegments.history.filled import fill
from livesegments.history.protocol import Wanted
from livesegments.history.ranges import Range
from livesegments.history.scan import scan
from livesegments.history.stretches import stretches
from livesegments.store.tail import Applied

NOW_MS = 1_700_000_000_000
DAY_MS = 86_400_000
COUNT = {"type": "event", "name": "a", "value": 2, "window": {"last": "30d"}}
SUM = {
    "type": "event",
    "name": "b",
    "measure": {"of": "sum", "property": "x"},
    "value": 3,
    "window": {"last": "90d"},
}
SOME = {"type": "event", "name": "b", "where": [{"property": "k", "op": "eq", "value": 1}]}
CART = {
    "type": "sequence", "within": "2d", "window": {"last": "60d"},
    "steps": [{"name": "a"}, {"name": "b", "absent": True}],
}  # fmt: skip
ENTERED = {
    "type": "event",
    "name": "$segment_entered",
    "where": [{"property": "segment", "op": "eq", "value": "vip"}],
}


def _event(number: int, random: Random) -> Event:
    profile, name = f"p{random.randrange(12):02}é", random.choice(("a", "b", "c", RETRACT))
    if name == RETRACT and random.random() < 0.7:
        name = "a"
    at = NOW_MS - random.randrange(100 * 8) * (DAY_MS // 8)
    properties: dict[str, Any] = {"x": random.choice((1, 2.5, 0.1, "text")), "k": random.randrange(2)}
    return Event(f"e{number}", "w", profile, name, at, {"event_id": "e1"} if name == RETRACT else properties)


@pytest.mark.parametrize(
    ("definitions", "made", "after"),
    [([COUNT, SUM, SOME, CART], True, ""), ([COUNT, CART], True, "p05é"), ([COUNT, ENTERED], False, "")],
)
def test_a_scan_is_what_each_profile_s_events_give(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, definitions: list[Any], made: bool, after: str
) -> None:
    monkeypatch.setattr(livesegments.history.scan, "AT_ONCE", 5)
    monkeypatch.setattr(livesegments.history.archive, "ROW_GROUP", 10)
    random, archive, commits = Random(7), Archive(str(tmp_path / "archive")), 40
    nodes = [msgspec.convert(each, Node) for each in definitions]
    plan = compile("w", "UTC", [], 6, staged=[Segment(f"s{at}", 1, 5, node) for at, node in enumerate(nodes)])
    upto = dict.fromkeys(plan.fact_ids, 30)
    history, wish = wanted(plan, upto, NOW_MS), order(plan, upto, NOW_MS)
    assert (wish is not None) == made
    past: list[tuple[int, Event]] = []
    ranges = [Range(1, 15, "a"), Range(16, commits, "b")]
    for of in ranges:
        events = [
            (random.randint(of.first, of.last), _event(of.first * 100 + at, random)) for at in range(90)
        ]
        told = Transition("t", "w", "vip", "p03é", "entered", NOW_MS - of.first, 1, "event", None, 1)
        past += [*events, (of.last, derived_from(told))]
        rows = [Applied(event, NOW_MS, commit, at) for at, (commit, event) in enumerate(events)]
        archive.write(3, of, schema.events_table(rows), schema.transitions_table([(of.last, [told])]))
    asked = Wanted("w", dict(history.names), after, dict(history.since), wish)
    count = scan(archive, 3, ranges, asked, tmp_path / "chunks")
    monkeypatch.setattr(livesegments.history.stretches, "MOST_ROWS", 15)
    assert len(list(stretches(archive, 3, ranges, "w", after))) > 3
    assert scan(archive, 3, ranges, asked, tmp_path / "stretches") == count
    in_columns = msgspec.structs.replace(asked, columns=True)
    assert scan(archive, 3, ranges, in_columns, tmp_path / "columns") == count
    shares, parts = zip(*fills(tmp_path / "stretches"), strict=True)
    assert list(shares) == sorted(shares) and shares[-1] == 1.0
    found = [each for _, chunk in fills(tmp_path / "chunks") for each in chunk]

    matter = [
        each
        for each in past
        if each[1].name in asked.names
        and each[1].time_ms >= asked.since.get(each[1].name, 0)
        and each[1].profile > after
    ]
    matter.sort(key=lambda each: (each[1].profile, each[1].time_ms, each[1].id))
    assert count == len(matter)
    bulk = None if wish is None else Bulk(wish)
    expected = []
    for profile, mine in groupby(matter, lambda each: each[1].profile):
        events = list(mine)
        expected.append(fill(profile, events, bulk, any(event.name == RETRACT for _, event in events)))
    assert [each.profile for each in found] == [each.profile for each in expected]
    assert [each for part in parts for each in part] == found
    columns = [chunk for _, chunk in fills(tmp_path / "columns", columns=True)]
    assert [id_ for chunk in columns for id_ in profiles_of(chunk)] == [each.profile for each in found]
    halves = [half for chunk in columns for half in (chunk[:2], chunk[2:])]
    for one, other in zip((each for half in halves for each in half), found, strict=True):
        assert one.events("w") == other.events("w")
    for one, other in zip(found, expected, strict=True):
        assert one.events("w") == other.events("w")
        assert (one.dues, one.holds, one.facts) == (other.dues, other.holds, other.facts)


def test_of_nothing_there_is_no_chunk(tmp_path: Path) -> None:
    into = tmp_path / "chunks"
    assert scan(Archive(str(tmp_path / "archive")), 3, [], Wanted("w", {"a": ()}), into) == 0
    assert list(fills(into)) == []


def test_a_file_that_still_grows_is_read_chunk_by_chunk(tmp_path: Path) -> None:
    whole, growing = tmp_path / "whole", tmp_path / "growing"
    chunks = [[fill(profile, [(1, Event("e", "w", profile, "a", 5))], None, False)] for profile in "pqr"]
    with whole.open("wb") as file:
        for at, chunk in enumerate(chunks):
            put_chunk(file, at / 3, chunk)
    data, found, reader = whole.read_bytes(), [], Fills(growing)
    assert list(reader.more()) == []
    for length in range(len(data) + 1):
        growing.write_bytes(data[:length])
        found += [chunk for _, chunk in reader.more()]
        assert found == chunks[: len(found)]
    assert found == chunks
