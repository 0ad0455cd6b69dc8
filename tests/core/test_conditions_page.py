"""docs/conditions.md: its examples pass the check, its ops and faults are those that there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from livesegments.core import words
from livesegments.core.check import DERIVED, check
from livesegments.core.definition import MeasureName, Node, PeriodName
from tests.core.story import Story
from tests.core.test_check import BAD
from tests.core.test_warnings import ALWAYS, NEVER, PLACES, told

Json = dict[str, Any]

PAGE = (Path(__file__).parents[2] / "docs" / "conditions.md").read_text()
WORDED = [
    row.split(" | ", 1)[1].strip("` |")
    for table in re.findall(r"^\| in words \| condition \|\n.*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    for row in table.splitlines()
]
"""The definitions of the tables with the head "in words"."""
FENCED = re.compile(r"^```json\n(.*?)^```$", re.DOTALL | re.MULTILINE)
EXAMPLES = [*FENCED.findall(PAGE), *WORDED]
PEERS = FENCED.findall((Path(__file__).parents[2] / "docs" / "coming-from.md").read_text())

WRITTEN = {kind.__struct_config__.tag for kind in get_args(Node)} - {"computed"}
"""The nodes that authors write."""


def rows(columns: str) -> list[list[list[Any]]]:
    """The cells of a table, each as the JSON values in it; words stand for themselves."""
    table = PAGE[PAGE.index(f"| {columns} |") :].split("\n\n")[0]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()[2:]]
    return [
        [[json.loads(value) for value in re.findall(r"`(.*?)`", cell)] or [cell] for cell in row]
        for row in cells
    ]


OPS = [
    (condition, yes, no, neither if neither != [""] else [])
    for (condition,), yes, no, neither in rows("condition | holds for | doesn't for | can't compare")
]
TOTALS = [
    (condition, values if values != ["none"] else [], holds == "yes")
    for (condition,), values, (holds,) in rows("condition | events with x | holds")
]
ITEMS = [
    (products[0], filters, item == "yes", no_item == "yes")
    for products, (filters,), (item,), (no_item,) in rows(
        "`products` of the event | filters | `item` | `no_item`"
    )
]
(CART,) = (json.loads(example) for example in EXAMPLES if '"same"' in example)
SHARED = [
    (events, holds == "holds")
    for events, (holds,) in rows("events, ten minutes apart, with `cart_id` | an hour after the last of them")
]


@pytest.mark.parametrize("example", [*EXAMPLES, *PEERS], ids=lambda text: " ".join(text.split())[:50])
def test_each_example_passes_the_check(example: str) -> None:
    others: dict[str, Node | None] = {"newsletter": None}
    _, faults = check(json.loads(example), timezone="Europe/Berlin", others=others, segment_id="example")
    assert faults == []


def test_every_word_of_the_language_is_told_and_has_an_example() -> None:
    types = set(re.findall(r'"type": "([a-z]+)"', " ".join(EXAMPLES)))
    assert types == WRITTEN
    assert {condition["op"] for condition, *_ in OPS} == set(words.OPS)
    assert {condition["op"] for condition, *_ in TOTALS} == set(words.MEASURE_OPS)
    assert {condition.get("measure", {}).get("of", "count") for condition, *_ in TOTALS} == set(
        words.MEASURES
    )
    assert set(DERIVED) <= set(re.findall(r"`([$][a-z_]+)`", PAGE))


def objects(value: Any) -> Iterator[Json]:
    """Every object within a definition, itself included."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(inner)


def test_every_node_op_measure_and_window_is_said_in_plain_words() -> None:
    parts = [part for text in WORDED for part in objects(json.loads(text))]
    assert {part["type"] for part in parts if "type" in part} == WRITTEN
    assert {part["op"] for part in parts if part.get("type") == "attribute"} == set(words.OPS)
    assert {part["of"] for part in parts if isinstance(part.get("of"), str)} == {*words.MEASURES} - {"count"}
    windows = [part["window"] for part in parts if "window" in part]
    assert {key for window in windows for key in window} == {"last", "skip", "period", "from", "to"}
    assert {window["period"] for window in windows if "period" in window} == set(get_args(PeriodName))


OPERANDS = {
    "scalar": "string, number or boolean",
    "scalars": "1–100 ",
    "ordered": "number or string",
    "pair": "`[a, b]`",
    "text": "string",
    "pattern": "pattern",
    "date": "date A",
    "duration": "duration d",
    "period": "period P",
    "days": "days",
    "months": "months",
    "nothing": "none",
}
COMPARED = {
    "its kind": "kind",
    "texts": "strings",
    "lists": "lists",
    "dates": "dates",
    "anything": "anything",
}


def test_the_tables_of_the_page_are_those_of_the_core() -> None:
    """An op's operand and what it compares; of a measure what it is over, and what it is of nothing."""
    table = PAGE[PAGE.index("| op | `value` |") :].split("\n\n")[0]
    listed = set()
    for row in table.splitlines()[2:]:
        names, operand, compares, _ = (cell.strip() for cell in row.strip("|").split("|"))
        for name in re.findall(r"`(.*?)`", names):
            listed.add(name)
            assert operand.startswith(OPERANDS[words.OPS[name].operand]), name
            assert COMPARED[words.OPS[name].compares] in compares, name
    assert listed == set(words.OPS) - set(words.POSITIVE)
    assert set(words.MEASURES) == set(get_args(MeasureName))
    table = PAGE[PAGE.index("| `measure` |") :].split("\n\n")[0].replace("\\|", "or")
    for row in table.splitlines()[2:]:
        of, _, nothing = (cell.strip() for cell in row.strip("|").split("|"))
        for name in re.findall(r'"([a-z]+)"', of.replace("property", "")):
            if name in words.MEASURES:
                assert ("property" in of) == words.MEASURES[name].property, name
                assert nothing == "0" or not words.MEASURES[name].whole, name


@pytest.mark.parametrize(("condition", "yes", "no", "neither"), OPS, ids=str)
def test_each_op_compares_as_told(condition: Json, yes: list[Any], no: list[Any], neither: list[Any]) -> None:
    node = {"type": "attribute", "name": "x", **condition}
    both: Json = {"false": {**node, "when_missing": False}, "true": {**node, "when_missing": True}}
    story = Story("2024-03-01T12:00", plain=node, **both)
    story.changes("2024-03-01T12:00", attributes={"y": 1})
    negative = condition["op"] in ("neq", "not_in", "not_contains", "has_none")
    answers = [
        *((v, {"plain", "false", "true"}) for v in yes),
        *((v, set()) for v in no),
        *((v, {"plain", "true"} if negative else {"true"}) for v in neither),
    ]
    for value, members in answers:
        story.changes("2024-03-01T12:00", attributes={"x": value})
        assert story.members == members, value


@pytest.mark.parametrize(("condition", "values", "holds"), TOTALS, ids=str)
def test_each_measure_is_as_told(condition: Json, values: list[Any], holds: bool) -> None:
    story = Story("2024-03-01", s={"type": "event", "name": "a", **condition})
    story.happens("b", "2024-03-01")
    for value in values:
        story.happens("a", "2024-03-01", x=value)
    assert bool(story.members) == holds


@pytest.mark.parametrize(("products", "filters", "item", "no_item"), ITEMS, ids=str)
def test_items_are_as_told(products: Any, filters: list[Json], item: bool, no_item: bool) -> None:
    story = Story(
        "2024-03-01",
        item={"type": "event", "name": "a", "where": [{"property": "products", "item": filters}]},
        no_item={"type": "event", "name": "a", "where": [{"property": "products", "no_item": filters}]},
    )
    story.happens("a", "2024-03-01", products=products)
    assert story.members == {name for name, holds in (("item", item), ("no_item", no_item)) if holds}


@pytest.mark.parametrize(("events", "holds"), SHARED, ids=str)
def test_steps_share_a_value_as_told(events: list[list[Any]], holds: bool) -> None:
    story = Story("2024-03-01T09:00", s=CART)
    for at, (name, cart_id) in enumerate(events):
        story.happens(name, f"2024-03-01T10:{at}0", cart_id=cart_id)
    story.clock(f"2024-03-01T11:{len(events) - 1}0")
    assert bool(story.members) == holds


def codes(table: str) -> set[str]:
    """The words in the first column of a table."""
    return {
        word
        for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
        for word in re.findall(r"[a-z_]+", row)
    }


def test_every_warning_is_told() -> None:
    given = {code for document in [*ALWAYS, *NEVER] for _, code in told(document)}
    given |= {code for _, expected in PLACES for _, code in expected}
    assert codes(PAGE[PAGE.index("## Warnings") :]) == given


def test_every_fault_is_told() -> None:
    faults = {code for _, expected in BAD for _, code in expected}
    elsewhere = {
        "too_many_nodes",
        "bad_json",
        "repeated_key",
        "unknown_segment",
        "unknown_value_list",
        "unknown_computed_attribute",
        "wrong_op",
        "unknown_choice",
        "cycle",
    }
    assert codes(PAGE[PAGE.index("## Faults") : PAGE.index("## Warnings")]) == faults | elsewhere
