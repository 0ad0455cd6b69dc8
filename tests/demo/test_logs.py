"""The logs: what their files hold, and how they are sent to ingest."""

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from livesegments.cli.demo import cdnow, shop, wheels
from livesegments.cli.demo.log import Log, Wheel
from livesegments.core.definition import Node
from livesegments.core.references import references
from tests.demo.conftest import RawFile

LOGS = pytest.mark.parametrize("log", [cdnow.LOG, shop.LOG], ids=lambda log: log.id)


def bodies(log: Log, raw: Path) -> list[Any]:
    return [msgspec.json.decode(item.body) for item in log.read(raw)]


def test_cdnow_has_its_known_totals(real: RawFile) -> None:
    events = bodies(cdnow.LOG, real(cdnow.LOG))
    assert len(events) == cdnow.PURCHASES
    assert len({event["profile"] for event in events}) == cdnow.CUSTOMERS
    assert events[0] == {
        "id": "cdnow-000001",
        "profile": "00001",
        "name": "order_placed",
        "time": "1997-01-01T00:00:00-05:00",
        "properties": {"cds": 1, "dollars": 11.77},
    }


def test_the_shop_has_its_known_totals(real: RawFile) -> None:
    events = bodies(shop.LOG, real(shop.LOG))
    told = Counter(event["type"] for event in events)
    assert told["track"] + told["page"] == shop.CLICKS
    assert len({event["userId"] for event in events}) == shop.VISITORS
    first = events[0]
    assert first["type"] == "identify"
    assert first["traits"]["lifecycle"] == "new"
    assert first["traits"]["created_at"] == first["timestamp"] == events[1]["timestamp"]
    assert told["identify"] == 1_410


@LOGS
def test_events_come_in_order_each_with_an_id_of_its_own(log: Log, generated: RawFile) -> None:
    happenings = list(log.read(generated(log)))
    times = [item.time_ms for item in happenings]
    ids = {event.get("id") or event["messageId"] for event in bodies(log, generated(log))}
    assert times == sorted(times)
    assert len(ids) == len(happenings)
    assert times[-1] <= log.checkpoints[-1].timestamp() * 1000


@LOGS
def test_the_generator_always_writes_the_same(log: Log, generated: RawFile, tmp_path: Path) -> None:
    log.generate(tmp_path / log.file)
    assert (tmp_path / log.file).read_bytes() == generated(log).read_bytes()


@LOGS
def test_every_segment_has_its_definition_and_its_sql_and_follows_those_it_names(log: Log) -> None:
    files = {item.name for item in log.folder.iterdir()}
    assert files == {"raw.sql", "explained.sql"} | {
        f"{id}.{kind}" for id in log.definitions for kind in ("json", "sql")
    }
    assert log.definition(log.edited)["id"] == log.late
    assert {log.explained, log.foreseen} <= set(log.segments)
    for position, id in enumerate(log.segments):
        body = log.definition(id)
        assert body["id"] == id
        named = references(msgspec.convert(body["definition"], Node))
        assert named.ids <= set(log.segments[:position])
        assert not named.all_others


def test_a_wheel_that_is_not_the_pinned_one_is_not_used(tmp_path: Path) -> None:
    wheel = Wheel("lifetimes", "0.11.3", "0" * 64, "lifetimes/datasets/CDNOW_master.txt")
    with pytest.raises(wheels.Unavailable, match=r"lifetimes 0\.11\.3"):
        wheels.fetch(wheel, tmp_path)
    assert not list(tmp_path.glob("*.whl"))


def test_without_a_registry_it_says_so_and_generates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    raw, origin = wheels.obtain(shop.LOG, tmp_path)
    assert origin.startswith("generated (pip can't fetch retentioneering 5.2.4")
    assert len(bodies(shop.LOG, raw)) > 10_000
