"""The language in SQL: the tables of docs/conditions.md, and cases that random histories seldom have."""

from __future__ import annotations

import random
import unicodedata
from datetime import UTC, datetime
from typing import Any

import duckdb
import msgspec
import pytest

from livesegments.core.definition import Node
from livesegments.core.event import PROFILE, Event
from livesegments.core.oracle.calendar import calendar
from livesegments.core.words import MEASURES
from livesegments.history.sql import fold
from livesegments.history.sql.computed import TOTALS as TOTALS_OF_COMPUTED
from livesegments.history.sql.session import prepare
from tests.core.test_conditions_page import CART, ITEMS, OPS, SHARED, TOTALS
from tests.effort import effort
from tests.properties.sql_race import Happened

Json = dict[str, Any]
NOON = 1_709_294_400_000
"""1 March 2024, 12:00 UTC."""
ZONES = (
    "Europe/Berlin",
    "America/Havana",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Kolkata",
    "Africa/Casablanca",
)


HOUR_MS = 3_600_000


def _new_year(year: int) -> int:
    return round(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 1_000


def happened(*events: tuple[str, Json], zone: str = "UTC") -> Happened:
    """Events a second apart, the last at noon."""
    past = [
        (index, Event(f"e{index:03}", "w", "p", name, NOON - (len(events) - 1 - index) * 1_000, properties))
        for index, (name, properties) in enumerate(events)
    ]
    return Happened(zone, NOON, past)


def holds(condition: Json, *events: tuple[str, Json]) -> bool:
    return happened(*events).holds(msgspec.convert(condition, Node), {}, "s")


@pytest.mark.parametrize(("condition", "yes", "no", "neither"), OPS, ids=str)
def test_each_op_compares_as_the_page_says(
    condition: Json, yes: list[Any], no: list[Any], neither: list[Any]
) -> None:
    node = {"type": "attribute", "name": "x", **condition}
    negative = condition["op"] in ("neq", "not_in", "not_contains", "has_none")
    for value, plain, otherwise in [
        *((v, True, True) for v in yes),
        *((v, False, False) for v in no),
        *((v, negative, None) for v in neither),
    ]:
        change = (PROFILE, {"attributes": {"x": value}})
        assert holds(node, change) == plain, value
        for missing in (False, True):
            expected = missing if otherwise is None else otherwise
            assert holds({**node, "when_missing": missing}, change) == expected, (value, missing)


@pytest.mark.parametrize(("products", "filters", "item", "no_item"), ITEMS, ids=str)
def test_items_are_as_the_page_says(products: Any, filters: list[Json], item: bool, no_item: bool) -> None:
    event = ("a", {"products": products})
    for name, expected in (("item", item), ("no_item", no_item)):
        where = [{"property": "products", name: filters}]
        assert holds({"type": "event", "name": "a", "where": where}, event) == expected, name


def test_what_counts_nothing_as_0_is_what_the_language_says() -> None:
    assert {*TOTALS_OF_COMPUTED} == {of for of, sort in MEASURES.items() if sort.whole} | {"sum"}


@pytest.mark.parametrize(("events", "expected"), SHARED, ids=str)
def test_steps_share_a_value_as_the_page_says(events: list[list[Any]], expected: bool) -> None:
    past = [(name, {"cart_id": cart_id}) for name, cart_id in events]
    assert holds({**CART, "within": "4s"}, *past, *[("b", {})] * 4) == expected


@pytest.mark.parametrize(("condition", "values", "expected"), TOTALS, ids=str)
def test_each_measure_is_as_the_page_says(condition: Json, values: list[Any], expected: bool) -> None:
    events = [("b", {}), *(("a", {"x": value}) for value in values)]
    assert holds({"type": "event", "name": "a", **condition}, *events) == expected


@pytest.mark.parametrize(
    ("path", "properties", "values"),
    [
        ("x", {"x": [[[["a"], "b"]], [], "c"]}, 3),
        ("l.0", {"l": {"0": "a"}}, 1),
        ("l.0", {"l": ["a", "b"]}, 0),
        ("l.0", {"l": [{"0": ["a", "b"]}, {"0": None}]}, 2),
        ("-", {"-": ["a"]}, 1),
        ('a"b\\c.$', {'a"b\\c': [{"$": 1}]}, 1),
        ("a/b~1.*", {"a/b~1": {"*": 1, "x": 2}}, 1),
        ("a b", {"a b": 1, "a": {" b": 2}}, 1),
        ("x", {"x": "[["}, 1),
        ("x.y", {"x": [[{"y": [[1]]}], {"y": 2}], "x.y": 3}, 2),
        ("x", {"x": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[7]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}, 1),
    ],
)
def test_values_on_a_path(path: str, properties: Json, values: int) -> None:
    distinct = {"type": "event", "name": "a", "measure": {"of": "distinct", "property": path}}
    assert holds({**distinct, "op": "eq", "value": values}, ("a", properties))
    exists = {"type": "event", "name": "a", "where": [{"property": path, "op": "exists"}]}
    assert holds(exists, ("a", properties)) == (values > 0)


@pytest.mark.parametrize(
    ("numbers", "total"),
    [
        ([1.7e308, 1.7e308, -1.7e308, -1.7e308, 1e-7], 1e-7),
        ([5e-324, 1, -1], 5e-324),
        ([2**64 - 1, 1, -(2**63)], 2**63),
        ([123456789012345678, 0.000000001], None),
        ([0.1] * 10, 1),
        ([1e22, -1e22, 0.3], 0.3),
        ([-0.0, 0], 0),
    ],
)
def test_sums_are_exact(numbers: list[float], total: float | None) -> None:
    events = [("a", {"x": number}) for number in numbers]
    for of, factor in (("sum", 1), ("avg", len(numbers))):
        condition = {"type": "event", "name": "a", "measure": {"of": of, "property": "x"}}
        if total is not None and factor == 1:
            assert holds({**condition, "op": "eq", "value": total}, *events)
        assert not holds({**condition, "op": "eq", "value": 1234.5}, *events)
    if total is None:
        condition = {"type": "event", "name": "a", "measure": {"of": "sum", "property": "x"}}
        assert not holds({**condition, "op": "eq", "value": 123456789012345678}, *events)
        assert holds({**condition, "op": "gt", "value": 123456789012345678}, *events)


def test_an_average_is_compared_without_rounding() -> None:
    condition = {"type": "event", "name": "a", "measure": {"of": "avg", "property": "x"}}
    thirds = [("a", {"x": number}) for number in (0, 0, 1)]
    assert holds({**condition, "op": "between", "value": [0.3333333333333333, 0.33333333333333337]}, *thirds)
    assert not holds({**condition, "op": "eq", "value": 0.3333333333333333}, *thirds)


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ([{"address.city": "B"}, {"address": None}], None),
        ([{"address": None}, {"address.city": "B"}], "B"),
        ([{"address.city": "A"}, {"address": None, "address.city": "B"}], "B"),
        ([{"address.city": "B"}, {"addr": None}, {"address": "x"}], "B"),
    ],
)
def test_a_removed_attribute_takes_its_parts_along(changes: list[Json], value: str | None) -> None:
    condition: Json = {"type": "attribute", "name": "address.city", "op": "eq", "value": value or ""}
    if value is None:
        condition = {"type": "attribute", "name": "address.city", "op": "missing"}
    assert holds(condition, *((PROFILE, {"attributes": each}) for each in changes))


def test_text_stays_text_whatever_is_in_it() -> None:
    nasty = "'; DROP TABLE happened; --\\' \" $1 {x} %s \n"
    assert holds(
        {"type": "attribute", "name": nasty, "op": "eq", "value": nasty},
        (PROFILE, {"attributes": {nasty: nasty}}),
    )
    where = [{"property": "x", "op": "contains", "value": nasty}]
    assert holds({"type": "event", "name": nasty, "where": where}, (nasty, {"x": nasty * 2}))
    assert holds({"type": "tag", "name": nasty}, (PROFILE, {"tags_add": [nasty]}))


def test_every_letter_is_folded_as_unicode_says() -> None:
    letters = [chr(point) for point in range(1, 0x11000) if unicodedata.category(chr(point)) != "Cs"]
    texts = [f"x{letter}İß{letter}" for letter in letters]
    with duckdb.connect() as connection:
        connection.execute(fold.macro())
        rows = connection.execute("SELECT ls_fold(s) FROM (SELECT unnest(?::VARCHAR[]) AS s)", [texts])
        assert [folded for (folded,) in rows.fetchall()] == [text.casefold() for text in texts]


@pytest.mark.parametrize("zone", ZONES)
def test_the_calendar_is_the_oracles(zone: str) -> None:
    draw = random.Random(zone)
    rules = calendar(zone)
    instants = [draw.randrange(0, 1_800_000_000_000) for _ in range(effort(150, 600))]
    instants += [draw.randrange(_new_year(1850), _new_year(9990)) for _ in range(effort(80, 300))]
    for year in (1900, 1947, 2050, 2100):  # within hours of the changes of each year
        turns = [_new_year(year) + hour * HOUR_MS for hour in range(8_784)]
        turns = [t for t in turns if rules.local(t).hour != (rules.local(t - HOUR_MS).hour + 1) % 24]
        instants += [
            t + draw.randrange(-3 * HOUR_MS, 3 * HOUR_MS) for t in turns for _ in range(effort(2, 10))
        ]
    with duckdb.connect() as connection:
        prepare(connection, zone)
        found = connection.execute(
            "SELECT t, ls_months(t, 1), ls_months(t, -13), CAST(epoch_ms(ls_wall(t)) AS DATE)"
            " FROM (SELECT unnest(?::BIGINT[]) AS t)",
            [instants],
        ).fetchall()
        for t, later, earlier, day in found:
            assert later == rules.add(t, "1mo"), t
            assert earlier == rules.add(t, "13mo", -1), t
            assert day == rules.day(t), t
        texts = [rules.local(t).isoformat(sep=draw.choice("T "))[:16] for t in instants]
        texts += [
            "",
            "soon",
            "2024-02-30",
            "0000-01-01",
            "2024-01-01T24:00",
            "2024-01-01T10:00+0560",
            "0001-01-01",
        ]
        read = connection.execute(
            "SELECT s, ls_instant(s) FROM (SELECT unnest(?::VARCHAR[]) AS s)", [texts]
        ).fetchall()
        assert [instant for _, instant in read] == [rules.instant(text) for text, _ in read]


@pytest.mark.parametrize(
    ("zone", "date", "condition", "first"),
    [
        # summer time, far ahead: the renewal of 1 July 2050, 26 years before
        ("Europe/Berlin", "2050-07-01", {"op": "in_next", "value": "9496d"}, "2024-07-01T00:00+02:00"),
        ("Europe/Berlin", "2050-12-01", {"op": "in_next", "value": "9496d"}, "2024-12-01T00:00+01:00"),
        ("America/New_York", "2170-07-04", {"op": "in_next", "value": "150y"}, "2020-07-04T00:00-04:00"),
        # 150 years back: Berlin had its own time, 53 minutes and 28 seconds ahead, until April 1893
        ("Europe/Berlin", "1890-01-01", {"op": "older_than", "value": "134y"}, "2024-01-01T00:00+01:00"),
        (
            "Europe/Berlin",
            "1900-01-01T12:00",
            {"op": "older_than", "value": "45291d"},
            "2024-01-02T12:00+01:00",
        ),
        ("Europe/Berlin", "1890-01-01", {"op": "older_than", "value": "48942d"}, "2023-12-31T23:06:32Z"),
    ],
)
def test_dates_far_ahead_and_far_back(zone: str, date: str, condition: Json, first: str) -> None:
    """The condition begins to hold at the instant `first`."""
    at_ms = round(datetime.fromisoformat(first).timestamp() * 1_000)
    node = msgspec.convert({"type": "attribute", "name": "x", **condition}, Node)
    for now_ms, expected in ((at_ms - 1, False), (at_ms, True)):
        change = Event("e", "w", "p", PROFILE, 0, {"attributes": {"x": date}})
        assert Happened(zone, now_ms, [(0, change)]).holds(node, {}, "s") == expected


@pytest.mark.parametrize(("op", "expected"), [("before", False), ("after", True)])
def test_a_date_is_read_alike_on_both_sides(op: str, expected: bool) -> None:
    condition = {"type": "attribute", "name": "x", "op": op, "value": "2050-07-01T00:00+02:00"}
    change = PROFILE, {"attributes": {"x": "2050-07-01"}}
    assert happened(change, zone="Europe/Berlin").holds(msgspec.convert(condition, Node), {}, "s") == expected
