"""Which values can be compared with which others; worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from livesegments.core.definition import Filter
from livesegments.core.where import canonical
from tests.core.story import Story, attribute, event

NEGATIVE = ("neq", "not_in", "not_contains", "has_none")


@pytest.mark.parametrize(
    ("op", "operand", "value", "holds"),
    [
        ("eq", 1, True, False),
        ("eq", 1, 1.0, True),
        ("eq", "1", 1, False),
        ("neq", 1, "a", True),
        ("neq", "a", ["a"], True),
        ("not_in", ["a", 1], 2, True),
        ("not_in", ["a"], 2, True),
        ("not_contains", "a", 1, True),
        ("gt", "Z", "a", True),
        ("gt", 1, True, False),
        ("contains", "", "x", True),
        ("matches", "^b", "ab", False),
        ("has_any", [1], [True, "1"], False),
        ("has_all", [1, "a"], ["a", 1.0], True),
        ("has_none", ["a"], "b", True),
        ("has_none", ["a"], [], True),
        ("before", "2024-01-01", "2023-12-31T23:59:59.999Z", True),
        ("after", "2024-01-01", "soon", False),
        ("exists", None, False, True),
    ],
)
def test_nothing_is_coerced(op: str, operand: Any, value: Any, holds: bool) -> None:
    story = Story("2024-01-01", s=attribute("x", op, operand))
    story.changes("2024-01-01", attributes={"x": value})
    assert story.members == ({"s"} if holds else set())


FLOAT, WRITTEN, BINARY = 2.0**60, 1_152_921_504_606_847_000, 2**60
"""A float, the whole number that its shortest form writes, and the one that Python takes it for."""


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        (FLOAT, {"eq", "float", "among", "gte", "lte", "between", "has", "where", "hashed"}),
        (WRITTEN, {"eq", "float", "among", "gte", "lte", "between", "has", "where", "hashed"}),
        (BINARY, {"lte"}),
        (WRITTEN + 1, {"gte"}),
        (str(WRITTEN), set()),
    ],
)
def test_a_large_decimal_is_the_number_that_it_writes(value: Any, holds: set[str]) -> None:
    story = Story(
        "2024-01-01",
        eq=attribute("x", "eq", WRITTEN),
        float=attribute("x", "eq", FLOAT),
        among=attribute("x", "in", ["a", WRITTEN]),
        gte=attribute("x", "gte", FLOAT),
        lte=attribute("x", "lte", FLOAT),
        between=attribute("x", "between", [WRITTEN, FLOAT]),
        has=attribute("l", "has_any", [WRITTEN]),
        where=event("a", where=[{"property": "x", "op": "between", "value": [FLOAT, WRITTEN]}]),
        hashed=event("a", where=[{"property": "x", "op": "eq", "value": FLOAT}]),
        changed=event("$attribute_changed", where=[{"property": "name", "op": "eq", "value": "x"}], value=2),
    )
    story.changes("2024-01-01", attributes={"x": value, "l": [value]})
    story.happens("a", "2024-01-01", x=value)
    assert story.members == holds
    same = WRITTEN if type(value) is float else FLOAT if value == WRITTEN else value
    story.changes("2024-01-02", attributes={"x": same})
    assert story.members == holds, "a change to an equal number is none"


def test_equal_large_numbers_are_counted_once_and_are_one_fact() -> None:
    assert canonical(filters(FLOAT)) == canonical(filters(WRITTEN)) != canonical(filters(BINARY))
    assert canonical(filters(1e300)) != canonical(filters(1e301))
    story = Story("2024-01-01", one=event("a", measure={"of": "distinct", "property": "x"}, op="eq", value=1))
    story.happens("a", "2024-01-01", x=[FLOAT, WRITTEN])
    assert story.members == {"one"}
    story.happens("a", "2024-01-01", x=BINARY)
    assert story.members == set()


def filters(value: float) -> tuple[Filter, ...]:
    return (Filter("x", "eq", value),)


def test_what_cannot_be_compared_gives_when_missing() -> None:
    story = Story(
        "2024-01-01",
        missing=attribute("x", "gt", 1, when_missing=True),
        negative=attribute("x", "neq", 1, when_missing=True),
    )
    story.changes("2024-01-01", attributes={"y": 1})
    assert story.members == {"missing", "negative"}
    story.changes("2024-01-02", attributes={"x": "2"})
    assert story.members == {"missing", "negative"}
    story.changes("2024-01-03", attributes={"x": 1})
    assert story.members == set()


def test_case_is_folded_by_unicode() -> None:
    story = Story("2024-01-01", s=attribute("x", "eq", "STRASSE", ignore_case=True))
    story.changes("2024-01-01", attributes={"x": "Straße"})
    assert story.members == {"s"}


def test_lists_on_a_path_are_walked_and_a_negative_op_denies_all_items() -> None:
    def where(op: str, value: Any) -> list[dict[str, Any]]:
        return [{"property": "products.color", "op": op, "value": value}]

    story = Story(
        "2024-01-01",
        red=event("order", where=where("eq", "red")),
        never_red=event("order", where=where("neq", "red")),
        costly=event("order", measure={"of": "sum", "property": "products.price"}, op="eq", value=0.3),
    )
    story.happens(
        "order", "2024-01-01", products=[{"color": "red", "price": 0.1}, {"color": "blue", "price": 0.2}]
    )
    assert story.members == {"red", "costly"}
    story.happens("order", "2024-01-02", products=[{"color": "blue"}, {"price": "0"}])
    assert story.members == {"red", "never_red", "costly"}


@pytest.mark.parametrize(
    ("op", "operand", "value", "holds", "missing"),
    [
        ("neq", 1, [1, 2], False, False),
        ("neq", 1, [2, "1"], True, True),
        ("neq", 1, ["1"], False, True),
        ("not_in", [1, "a"], [True], False, True),
        ("not_contains", "a", [1, "b"], True, True),
        ("gt", 1, [0, 2], True, True),
        ("between", ["a", "c"], ["B", "b"], True, True),
        ("has_none", ["a"], [], True, True),
        ("has_none", ["a"], "a", False, True),
        ("has_any", ["a"], [["a"]], False, False),
        ("eq", 1, [[1]], True, True),
        ("exists", None, [], True, True),
        ("missing", None, None, True, True),
    ],
)
def test_a_filter_asks_the_items_of_a_list(
    op: str, operand: Any, value: Any, holds: bool, missing: bool
) -> None:
    """`missing`: the answer with `when_missing`, which is a negative op's default; `holds`: without."""
    test = {"property": "x", "op": op, "value": operand}
    story = Story(
        "2024-01-01",
        plain=event("a", where=[test]),
        no=event("a", where=[test | {"when_missing": False}]),
        yes=event("a", where=[test | {"when_missing": True}]),
    )
    story.happens("a", "2024-01-01", x=value)
    assert [name in story.members for name in ("no", "yes")] == [holds, missing]
    assert ("plain" in story.members) == (missing if op in NEGATIVE else holds)


@pytest.mark.parametrize(
    ("negative", "positive", "operand"),
    [
        ("neq", "eq", 1),
        ("not_in", "in", [1, "a"]),
        ("not_contains", "contains", "a"),
        ("has_none", "has_any", [1]),
    ],
)
@pytest.mark.parametrize(
    "value", [None, 1, 1.0, 2, True, "a", "b", "1", [], [1], ["a"], [[1]], [2, "b"]], ids=str
)
def test_a_negative_op_is_the_complement_of_its_positive_one(
    negative: str, positive: str, operand: Any, value: Any
) -> None:
    def where(op: str) -> dict[str, Any]:
        return event("a", where=[{"property": "x", "op": op, "value": operand}])

    story = Story(
        "2024-01-01",
        positive=attribute("x", positive, operand),
        negative=attribute("x", negative, operand),
        some=where(positive),
        none=where(negative),
    )
    story.happens("a", "2024-01-01", x=value)
    story.changes("2024-01-01", attributes={"y": 1} if value is None else {"x": value})
    assert len({"positive", "negative"} & story.members) == 1
    assert len({"some", "none"} & story.members) == 1


@pytest.mark.parametrize(
    ("op", "operand", "value", "holds"),
    [
        ("in", ["STRASSE"], "straße", True),
        ("has_any", ["STRASSE"], ["straße"], True),
        ("contains", "SS", "aß", True),
        ("starts_with", "S", "ß", True),
        ("between", ["A", "B"], "b", True),
        ("gte", 1.152921504606847e18, 1.152921504606847e18, True),
        ("matches", "^ÄB$", "äb", True),
        ("matches", "SS", "ß", False),
    ],
)
def test_ignored_case_is_folded_in_texts_and_simple_in_patterns(
    op: str, operand: Any, value: Any, holds: bool
) -> None:
    story = Story("2024-01-01", s=attribute("x", op, operand, ignore_case=True))
    story.changes("2024-01-01", attributes={"x": value})
    assert bool(story.members) == holds


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024-01-01", "2023-12-31T23:00"),  # midnight in Berlin
        ("2024-07-01", "2024-06-30T22:00"),
        ("2024-01-01 10:30", "2024-01-01T09:30"),
        ("2024-01-01T10:30:15.250", "2024-01-01T09:30:15.250"),
        ("2024-01-01T10:00Z", "2024-01-01T10:00"),
        ("2024-01-01T10:00:00+02", "2024-01-01T08:00"),
        ("2024-01-01T10:00:00-0930", "2024-01-01T19:30"),
        ("2024-01-01T10:00:00.12345678901+05:30", "2024-01-01T04:30:00.123"),
        ("2024-03-31T02:30", "2024-03-31T01:30"),  # it is skipped: with the offset before
        ("2024-10-27T02:30", "2024-10-27T00:30"),  # it comes twice: the earlier one
        *((text, None) for text in ("2024", "2024-1-1", "2024-02-30", "20240101", "2024-01-01T24:00")),
        *((f"2024-01-01T10:00{offset}", None) for offset in ("+24:00", "+01:60", "+1", "Europe/Berlin")),
    ],
)
def test_a_date_is_an_instant_in_the_workspaces_zone(text: str, instant: str | None) -> None:
    story = Story(
        "2023-01-01",
        zone="Europe/Berlin",
        after=attribute("x", "after", f"{instant}Z" if instant else "2000-01-01"),
        before=attribute("x", "before", f"{instant}Z" if instant else "2100-01-01"),
        soon=attribute("x", "in_next", "3y"),
    )
    story.changes("2023-01-01", attributes={"x": text})
    assert story.members == ({"after", "soon"} if instant else set())
    assert story.valid_until("soon") == instant


@pytest.mark.parametrize(
    ("value", "lat", "lon", "km", "holds"),
    [
        ({"lat": 0, "lon": -179.9}, 0, 179.9, 22.24, True),  # 0.2° of longitude, over the antimeridian
        ({"lat": 0, "lon": -179.9}, 0, 179.9, 22.23, False),
        ({"lat": 90, "lon": -120}, 90, 30, 0.001, True),  # at a pole longitude means nothing
        ({"lat": 0, "lon": 0}, 0, 180, 20_015.2, True),  # half the circumference: 20,015.115
        ({"lat": 0, "lon": 0}, 0, 180, 20_015.1, False),
        ({"lat": 48.137, "lon": 11.575}, 48.137, 11.575, 0, True),
        ({"lat": "48", "lon": 11}, 48, 11, 10, False),
        ({"lat": 48}, 48, 11, 10, False),
        ("48,11", 48, 11, 10, False),
    ],
)
def test_near_is_on_a_sphere(value: Any, lat: float, lon: float, km: float, holds: bool) -> None:
    near = {"type": "near", "attribute": "place", "lat": lat, "lon": lon, "km": km}
    story = Story("2024-01-01", near=near)
    story.changes("2024-01-01", attributes={"place": value})
    assert bool(story.members) == holds


def test_consent_is_of_exactly_the_pair_that_is_named() -> None:
    def consent(state: str, **pair: str) -> dict[str, Any]:
        return {"type": "consent", "state": state, **pair}

    story = Story(
        "2024-01-01",
        email=consent("opted_in", channel="email"),
        news=consent("none", topic="news"),
        both=consent("opted_out", channel="email", topic="news"),
    )
    story.changes("2024-01-01", consent=[{"channel": "email", "state": "opted_in"}])
    assert story.members == {"email", "news"}
    story.changes("2024-01-02", consent=[{"channel": "email", "topic": "news", "state": "opted_out"}])
    assert story.members == {"email", "news", "both"}
    story.changes("2024-01-03", consent=[{"topic": "news", "state": "opted_in"}])
    assert story.members == {"email", "both"}


def test_what_one_change_says_twice_it_says_once() -> None:
    """A tag in both lists is removed, the last consent of a pair counts; only what altered makes an event."""
    story = Story(
        "2024-01-01",
        tagged=event("$tag_added"),
        out=event("$consent_changed", where=[{"property": "to", "op": "eq", "value": "opted_out"}]),
        twice=event("$consent_changed", value=2),
    )
    states = [{"channel": "email", "state": state} for state in ("opted_in", "opted_out")]
    story.changes("2024-01-01", tags_add=["t", "t"], tags_remove=["t"], consent=states)
    assert story.members == {"out"}
