"""A definition as a sentence: by example, for every word of the language, and for any JSON at all."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesegments.core.sentence import compared, measured
from livesegments.core.sentence.nodes import phrase, sentence
from livesegments.core.words import MEASURES, OPS, VALUES
from tests.core.test_conditions_page import EXAMPLES, WRITTEN
from tests.core.test_conditions_page import OPS as EXAMPLES_OF_OPS
from tests.properties.definitions import definitions

Json = dict[str, Any]
ORDERED: Json = {"type": "event", "name": "order_placed", "window": {"last": "30d"}}
VIP: Json = {"type": "tag", "name": "vip"}
KYIV: Json = {"type": "attribute", "name": "city", "op": "eq", "value": "Kyiv"}

SAID: list[tuple[Json, str]] = [
    ({**ORDERED, "value": 3}, "Placed an order at least 3 times in the last 30 days."),
    ({"type": "not", "of": ORDERED}, "Never placed an order in the last 30 days."),
    ({"type": "not", "of": {**ORDERED, "value": 3}}, "Placed an order fewer than 3 times in the last 30 days."),
    ({"type": "event", "name": "Email Bounced"}, "Ever had the event “Email Bounced”."),
    (
        {"type": "event", "name": "visit", "op": "between", "value": [3, 7], "window": {"period": "day", "from": -3, "to": -1}},
        "Had the event “visit” 3 to 7 times in the 3 days before today.",
    ),
    ({"type": "not", "of": KYIV}, "City is not “Kyiv”."),
    ({**KYIV, "value": "\u202egnp\n"}, r"City is “\u202egnp\u000a”."),
    ({**KYIV, "op": "neq", "when_missing": False}, "City is known and is not “Kyiv”."),
    ({"type": "not", "of": {**KYIV, "op": "neq", "when_missing": False}}, "City is “Kyiv” or is unknown."),
    ({"type": "attribute", "name": "created_at", "op": "after", "value": "2024-01-01"}, "created_at is on or after 1 January 2024."),
    (
        {"type": "all", "of": [ORDERED, {"type": "any", "of": [VIP, KYIV]}]},
        "Placed an order in the last 30 days, and (has the tag “vip” or city is “Kyiv”).",
    ),
    ({"type": "not", "of": {"type": "any", "of": [VIP, KYIV]}}, "Not (has the tag “vip” or city is “Kyiv”)."),
    (
        {"type": "all", "of": [VIP, {"type": "not", "of": {"type": "all", "of": [VIP, KYIV]}}]},
        "Has the tag “vip”, and not (has the tag “vip” and city is “Kyiv”).",
    ),
    ({"type": "not", "of": {"type": "not", "of": VIP}}, "Has the tag “vip”."),
    ({"type": "segment", "id": "s1"}, "Is in the segment “Newsletter”."),
    ({"type": "attribute", "name": "points", "op": "gte", "value": 12345.5}, "Points is at least 12,345.5."),
    (
        {"type": "attribute", "name": "country", "op": "in", "value": [*"abcdefgh"]},
        "Country is “a”, “b”, “c”, “d”, “e” or 3 others.",
    ),
    (
        {"type": "event", "name": "x", "window": {"from": "2024-01-01T10:00Z", "to": "2024-02-01"}},
        "Had the event “x” from 1 January 2024, 10:00 UTC until before 1 February 2024.",
    ),
    ({"type": "event"}, "Ever had the event …"),
    ({"type": "all", "of": []}, "…"),
    ({"type": "attribute", "name": "\"><b>", "op": "exists"}, "“\"><b>” is known."),
    ({"type": "computed", "name": "order_placed", "measure": {"of": "mode", "property": "sku"}}, "The most frequent value of sku in orders placed."),
]  # fmt: skip


@pytest.mark.parametrize(("definition", "said"), SAID, ids=[said for _, said in SAID])
def test_it_reads(definition: Json, said: str) -> None:
    assert sentence(definition, {"s1": "Newsletter"}) == said


def test_no_two_examples_of_the_page_read_alike_and_none_has_a_gap() -> None:
    documents = [json.loads(example) for example in EXAMPLES]
    different = {json.dumps(document, sort_keys=True): document for document in documents}
    said = {sentence(document) for document in different.values()}
    assert {document["type"] for document in documents} == WRITTEN
    assert not [each for each in said if "…" in each]
    # these write one thing in two ways
    assert len(different) - len(said) <= 4


@pytest.mark.parametrize("op", OPS)
def test_every_op_has_words_of_its_own_both_ways_and_of_events(op: str) -> None:
    test = next(condition for condition, *_ in EXAMPLES_OF_OPS if condition["op"] == op)
    said = {compared.comparison(test, "it", denied, now) for denied in (False, True) for now in (False, True)}
    assert len(said) == (4 if OPS[op].clock else 2)
    assert not [each for each in said if (op in each and "_" in op) or "…" in each or "not:" in each]


@pytest.mark.parametrize("of", [*MEASURES, *VALUES])
def test_every_measure_has_words_of_its_own(of: str) -> None:
    node = {"type": "event", "name": "order_placed", "measure": {"of": of, "property": "total"}, "value": 7}
    said = phrase(node) if of in MEASURES else measured.over(node)
    assert "…" not in said
    assert not re.search(r"\b(avg|mode|first_at|last_at|sunday_weeks)\b", said)
    others = [
        measured.over({**node, "measure": {"of": other}}) for other in (*MEASURES, *VALUES) if other != of
    ]
    assert measured.over({**node, "measure": {"of": of}}) not in others


@settings(max_examples=60)
@given(definitions(("s0",), False))
def test_every_definition_reads_without_a_gap(definition: Json) -> None:
    assert "…" not in sentence(definition).replace("…”", "")


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "of",
                    "name",
                    "names",
                    "op",
                    "value",
                    "window",
                    "last",
                    "period",
                    "from",
                    "to",
                    "where",
                    "measure",
                    "property",
                    "item",
                    "steps",
                    "within",
                    "absent",
                    "same",
                    "state",
                    "channel",
                    "which",
                    "has",
                    "value_list",
                    "asked",
                ]
            ),
            inner | st.sampled_from([*WRITTEN, *OPS, *MEASURES, "computed", "30d", "day"]),
            max_size=6,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150)
@given(anything)
def test_any_json_reads_somehow(value: Any) -> None:
    assert sentence(value).endswith((".", "…"))
