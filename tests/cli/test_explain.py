"""`livesegments explain`: a tree for people, the api's JSON for machines."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.run import Answers, run

AT = "2026-01-31T23:30:00.000Z"
EVIDENCE: dict[str, Any] = {
    "value": None, "or_more": False, "at": None, "event_id": None, "steps": None, "same": None, "moves_at": None, "events": [],
}  # fmt: skip


def node(pointer: str, holds: bool, condition: Any = None, of: Any = (), **evidence: Any) -> dict[str, Any]:
    return {
        "pointer": pointer,
        "type": condition["type"] if condition else "all",
        "holds": holds,
        "condition": condition,
        "evidence": {**EVIDENCE, **evidence} if condition else None,
        "of": list(of),
    }


CITY = {"type": "attribute", "name": "city", "op": "eq", "value": "Kyiv"}
ORDERS = {"type": "event", "name": "order", "window": {"last": "30d"}, "value": 5}
SAID = {
    "segment": "regulars",
    "profile": "a/b",
    "in": False,
    "entered_at": None,
    "at": AT,
    "version": 2,
    "judged": True,
    "why": node(
        "",
        False,
        of=[
            node("/of/0", True, CITY, value="Kyiv", at=AT, event_id="e1"),
            node("/of/1", False, ORDERS, value=3),
        ],
    ),
    "change": {
        "type": "event",
        "name": "order",
        "count": 2,
        "properties": {},
        "varying": None,
        "value": None,
        "channel": None,
        "topic": None,
        "before": AT,
    },
    "flips_at": None,
}


async def test_a_tree(capsys: pytest.CaptureFixture[str]) -> None:
    answers = Answers(GET=SAID)
    assert await run(answers, "explain", "regulars", "a/b") == 0
    assert answers.paths("GET") == ["/v1/segments/regulars/explanations/a%2Fb?events=0"]
    assert capsys.readouterr().out.splitlines() == [
        "a/b is not in regulars (version 2; times are in Europe/Berlin)",
        "✗ all of",
        '  ✓ city eq Kyiv  ← "Kyiv", at 2026-02-01 00:30:00, by event e1',
        "  ✗ order last 30d: count gte 5  ← 3",
        "would flip it: 2 more order, before 2026-02-01 00:30:00",
        "the clock alone never flips it, as things are",
    ]


async def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert await run(Answers(GET=SAID), "explain", "regulars", "a/b", "--json") == 0
    assert json.loads(capsys.readouterr().out) == SAID


async def test_several_names_any_tag_items_and_shared_values_in_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    opened = {"type": "event", "names": ["opened", "clicked"], "window": {"last": "30d"}, "value": 5}
    red = [{"property": "color", "op": "eq", "value": "red"}, {"property": "size", "op": "lte", "value": 1}]
    items = {"type": "event", "name": "order", "where": [{"property": "products", "item": red}]}
    none = {"type": "event", "name": "order", "where": [{"property": "products", "no_item": red[:1]}]}
    cart = {
        "type": "sequence", "steps": [{"name": "cart"}, {"name": "order", "absent": True}],
        "same": "cart_id", "within": "1h", "window": {"last": "7d"},
    }  # fmt: skip
    of = [
        node("/of/0", True, opened, value=5, or_more=True),
        node("/of/1", False, {"type": "tag"}),
        node("/of/2", True, items, value=1),
        node("/of/3", True, none, value=2),
        node("/of/4", True, cart, steps=1, same="c1"),
        node("/of/5", True, {**CITY, "op": "in", "value": None, "value_list": "big"}, value="Kyiv"),
    ]
    assert await run(Answers(GET={**SAID, "why": node("", False, of=of)}), "explain", "regulars", "a/b") == 0
    assert capsys.readouterr().out.splitlines()[2:8] == [
        "  ✓ opened or clicked last 30d: count gte 5  ← 5 or more",
        "  ✗ any tag  ← nothing",
        "  ✓ order where an item of products (color eq red and size lte 1): count gte 1  ← 1",
        "  ✓ order where no item of products (color eq red): count gte 1  ← 2",
        '  ✓ cart, then no order with the same cart_id within 1h last 7d  ← nothing, 1 steps have come with "c1"',
        '  ✓ city in list big  ← "Kyiv"',
    ]
