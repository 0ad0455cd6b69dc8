"""Every fault of a definition, each at its place, all at once."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livesegments.core.check import check, check_json
from livesegments.core.definition import Node
from livesegments.core.fault import shown as shown_value
from livesegments.core.levels import MAX_LEVELS
from livesegments.core.value_list import named, shown

EVENT = {"type": "event", "name": "order"}
ATTRIBUTE = {"type": "attribute", "name": "age"}


def codes(document: Any, **options: Any) -> list[tuple[str, str]]:
    node, faults = check(document, **options)
    assert (node is None) == bool(faults)
    assert all(fault.message for fault in faults)
    return [(fault.pointer, fault.code) for fault in faults]


def deep(levels: int) -> dict[str, Any]:
    return {"type": "not", "of": deep(levels - 1)} if levels > 1 else {"type": "tag", "name": "a"}


def items(levels: int, *filters: dict[str, Any]) -> dict[str, Any]:
    inner = [items(levels - 1, *filters)] if levels > 1 else list(filters)
    return {"property": "a", "item": inner}


SEQUENCE = {"type": "sequence", "steps": [{"name": "a"}, {"name": "b"}], "within": "1h"}
EQ = {"property": "a", "op": "eq", "value": 1}
OUT = "out_of_range"
BUCKET_FAULTS = [("/salt", "empty"), ("/from", "wrong_type"), ("/to", OUT)]
BAD: list[tuple[Any, list[tuple[str, str]]]] = [
    (7, [("", "wrong_type")]),
    ({}, [("", "missing_field")]),
    ({"type": "evnt"}, [("/type", "unknown_value")]),
    ({"type": "tag", "name": "a", "of": 1}, [("/of", "unknown_field")]),
    ({"type": "event"}, [("", "missing_field")]),
    (EVENT | {"names": ["a", "b"]}, [("", "conflict")]),
    ({"type": "event", "names": ["a"]}, [("/names", "wrong_length")]),
    ({"type": "event", "names": ["$x", ""]}, [("/names/0", "reserved_name"), ("/names/1", "empty")]),
    ({"type": "bucket"}, [("", "missing_field")] * 3),
    ({"type": "bucket", "salt": "", "from": "0", "to": 12.345}, BUCKET_FAULTS),
    ({"type": "bucket", "salt": "a", "from": -1, "to": 100.01}, [(f"/{end}", OUT) for end in ("from", "to")]),
    ({"type": "bucket", "salt": "a", "from": 50, "to": 50.0}, [("/to", "wrong_order")]),
    ({"type": "tag", "name": ""}, [("/name", "empty")]),
    ({"type": "tag", "name": "a\0b"}, [("/name", "bad_character")]),
    ({"type": "all", "of": []}, [("/of", "wrong_length")]),
    ({"type": "not", "of": []}, [("/of", "wrong_type")]),
    (deep(11), [("/of" * 10, "too_deep")]),
    (EVENT | {"measure": {"of": {}}, "value": 2}, [("/measure/of", "unknown_value")]),
    (EVENT | {"measure": {"of": ["count"]}, "value": 2}, [("/measure/of", "unknown_value")]),
    (ATTRIBUTE | {"op": "like", "value": 1}, [("/op", "unknown_value")]),
    (ATTRIBUTE | {"op": "eq"}, [("", "missing_field")]),
    (ATTRIBUTE | {"op": "eq", "value": None}, [("/value", "wrong_type")]),
    (ATTRIBUTE | {"op": "gt", "value": True}, [("/value", "wrong_type")]),
    (ATTRIBUTE | {"op": "between", "value": [2, 1]}, [("/value", "wrong_order")]),
    (ATTRIBUTE | {"op": "between", "value": [1, "2"]}, [("/value", "wrong_type")]),
    (ATTRIBUTE | {"op": "in", "value": []}, [("/value", "wrong_length")]),
    (ATTRIBUTE | {"op": "in", "value": list(range(101))}, [("/value", "wrong_length")]),
    (
        ATTRIBUTE | {"op": "in", "value": [1, None, {}]},
        [("/value/1", "wrong_type"), ("/value/2", "wrong_type")],
    ),
    (ATTRIBUTE | {"op": "eq", "value": 2**63}, [("/value", "out_of_range")]),
    (ATTRIBUTE | {"op": "exists", "value": 1}, [("/value", "no_meaning")]),
    (ATTRIBUTE | {"op": "exists", "ignore_case": True}, [("/ignore_case", "no_meaning")]),
    (ATTRIBUTE | {"op": "before", "value": "soon"}, [("/value", "bad_date")]),
    (ATTRIBUTE | {"op": "in_last", "value": "30"}, [("/value", "bad_duration")]),
    (ATTRIBUTE | {"op": "in_last", "value": "151y"}, [("/value", "too_long")]),
    (ATTRIBUTE | {"op": "matches", "value": "("}, [("/value", "bad_pattern")]),
    (ATTRIBUTE | {"op": "matches", "value": "a" * 257}, [("/value", "too_long")]),
    (ATTRIBUTE | {"op": "matches", "value": "[a-z]{0,1000}" * 2}, [("/value", "too_large")]),
    ({"type": "attribute", "name": "tags", "op": "has_any", "value": ["vip"]}, [("/name", "wrong_node")]),
    ({"type": "attribute", "name": "consent", "op": "exists"}, [("/name", "wrong_node")]),
    (
        {"type": "near", "attribute": "lists", "lat": 1, "lon": 1, "km": 1},
        [("/attribute", "wrong_node")],
    ),
    (EVENT | {"window": {}}, [("/window", "missing_field")]),
    (EVENT | {"window": {"last": "1d", "from": "2022-01-01"}}, [("/window", "conflict")]),
    (EVENT | {"window": {"last": "1d", "skip": "24h"}}, [("/window/skip", "wrong_order")]),
    (EVENT | {"window": {"from": "2022-02-01", "to": "2022-01-01"}}, [("/window/to", "wrong_order")]),
    (EVENT | {"window": {"last": "0d"}}, [("/window/last", "bad_duration")]),
    (EVENT | {"measure": {"of": "sum"}}, [("/measure", "missing_field")]),
    (EVENT | {"measure": {"of": "count", "property": "x"}}, [("/measure/property", "no_meaning")]),
    (EVENT | {"measure": {"of": "sum", "property": "a..b"}}, [("/measure/property", "bad_path")]),
    (EVENT | {"op": "in", "value": [1]}, [("/op", "unknown_value")]),
    (EVENT | {"value": "1"}, [("/value", "wrong_type")]),
    (EVENT | {"window": {"last": "1d"}, "value": 10_001}, [("/value", "out_of_range")]),
    (EVENT | {"name": "$profile"}, [("/name", "reserved_name")]),
    (
        EVENT | {"where": [{"property": "at", "op": "in_last", "value": "1"}]},
        [("/where/0/value", "bad_duration")],
    ),
    (EVENT | {"window": {"period": "decade"}}, [("/window/period", "unknown_value")]),
    (EVENT | {"window": {"period": "day", "last": "1d"}}, [("/window", "conflict")]),
    (EVENT | {"window": {"period": "day", "to": 1}}, [("/window/to", "out_of_range")]),
    (EVENT | {"window": {"period": "year", "from": -4}}, [("/window/from", "out_of_range")]),
    (EVENT | {"window": {"period": "day", "from": "2022-01-01"}}, [("/window/from", "wrong_type")]),
    (EVENT | {"window": {"from": -1}}, [("/window/from", "wrong_type")]),
    (EVENT | {"window": {"period": "day", "to": -1}}, [("/window/to", "wrong_order")]),
    (ATTRIBUTE | {"op": "older_than", "value": "151y"}, [("/value", "too_long")]),
    (ATTRIBUTE | {"op": "in_period", "value": "month"}, [("/value", "wrong_type")]),
    (ATTRIBUTE | {"op": "in_period", "value": {}}, [("/value", "missing_field")]),
    (
        ATTRIBUTE | {"op": "in_period", "value": {"period": "year", "to": 151}},
        [("/value/to", "out_of_range")],
    ),
    (ATTRIBUTE | {"op": "anniversary", "value": {"from": 1}}, [("/value/to", "wrong_order")]),
    (ATTRIBUTE | {"op": "anniversary", "value": {"to": True}}, [("/value/to", "wrong_type")]),
    (ATTRIBUTE | {"op": "anniversary_in_month", "value": {"to": 13}}, [("/value/to", "out_of_range")]),
    (EVENT | {"window": {"period": "month"}, "value": 10_001}, [("/value", "out_of_range")]),
    (EVENT | {"where": [{"op": "eq", "value": 1}]}, [("/where/0", "missing_field")]),
    (
        {
            "type": "occurrence",
            "which": "last",
            "name": "x",
            "has": [{"property": "a", "op": "is", "value": 1}],
        },
        [("/has/0/op", "unknown_value")],
    ),
    (SEQUENCE | {"same": "a..b", "where": []}, [("/where", "unknown_field"), ("/same", "bad_path")]),
    (SEQUENCE | {"same": ["a"]}, [("/same", "wrong_type")]),
    (EVENT | {"where": [{"item": [EQ]}]}, [("/where/0", "missing_field")]),
    (EVENT | {"where": [{"property": "a", "item": []}]}, [("/where/0/item", "wrong_length")]),
    (EVENT | {"where": [{"property": "a", "no_item": EQ}]}, [("/where/0/no_item", "wrong_type")]),
    (EVENT | {"where": [{"property": "a", "item": None}]}, [("/where/0/item", "wrong_type")]),
    (
        EVENT | {"where": [{**EQ, "item": [EQ], "no_item": [EQ], "any": 1}]},
        [
            ("/where/0/any", "unknown_field"),
            ("/where/0/op", "conflict"),
            ("/where/0/value", "conflict"),
            ("/where/0/no_item", "conflict"),
        ],
    ),
    (
        EVENT | {"where": [EQ, items(1, {"property": "a..b", "op": "is"})]},
        [("/where/1/item/0/property", "bad_path"), ("/where/1/item/0/op", "unknown_value")],
    ),
    (EVENT | {"where": [items(4, EQ)]}, [("/where/0" + "/item/0" * 3 + "/item", "too_deep")]),
    (EVENT | {"where": [items(1, *[EQ] * 20)]}, [("/where", "wrong_length")]),
    (
        EVENT | {"where": [items(1, *[EQ] * 21)]},
        [("/where/0/item", "wrong_length")],
    ),
    ({"type": "occurrence", "which": "second", "name": "x"}, [("/which", "unknown_value")]),
    (
        {"type": "sequence", "within": "91d", "steps": [{"name": "a", "absent": True}, {"name": "b"}]},
        [("/within", "too_long"), ("/steps/0/absent", "not_last")],
    ),
    ({"type": "sequence", "within": "1h", "steps": [{"name": "a"}]}, [("/steps", "wrong_length")]),
    ({"type": "consent", "state": "opted_in"}, [("", "missing_field")]),
    (
        {"type": "near", "attribute": "location", "lat": 91, "lon": "0", "km": 1},
        [("/lat", "out_of_range"), ("/lon", "wrong_type")],
    ),
]


@pytest.mark.parametrize(("document", "expected"), BAD, ids=lambda item: json.dumps(item)[:60])
def test_each_fault_is_named_at_its_place(document: Any, expected: list[tuple[str, str]]) -> None:
    assert codes(document) == expected


def test_all_faults_come_at_once() -> None:
    document = {"type": "all", "of": [{"type": "segment"}, {"type": "x"}, EVENT | {"op": "?", "value": []}]}
    assert codes(document) == [
        ("/of/0", "missing_field"),
        ("/of/1/type", "unknown_value"),
        ("/of/2/op", "unknown_value"),
    ]


def test_too_many_nodes_and_too_many_bytes() -> None:
    wide = {"type": "any", "of": [{"type": "tag", "name": "a"}] * 100}
    assert codes({"type": "all", "of": [wide, wide]}) == [("", "too_many_nodes")]
    node, faults = check_json(json.dumps(wide).encode() + b" " * 65_536)
    assert node is None and faults[0].code == "too_long"
    assert check_json(b"{")[1][0].code == "bad_json"


def test_a_key_that_stands_twice_is_a_fault() -> None:
    node, faults = check_json(b'{"type": "not", "of": {"type": "tag", "name": "a", "name": "b"}}')
    assert node is None and [(fault.pointer, fault.code) for fault in faults] == [
        ("/of/name", "repeated_key")
    ]


@pytest.mark.parametrize(
    ("document", "bound"),
    [
        (deep(11), "10"),
        ({"type": "any", "of": [deep(9)] * 30}, "200"),
        ({"type": "any", "of": [{"type": "tag", "name": "a"}] * 101}, "100"),
        (ATTRIBUTE | {"op": "in", "value": list(range(101))}, "100"),
        (ATTRIBUTE | {"op": "matches", "value": "a" * 257}, "256"),
        (ATTRIBUTE | {"op": "matches", "value": "[a-z]{0,1000}" * 9}, "4000 instructions"),
        (ATTRIBUTE | {"op": "eq", "value": "a" * 1_025}, "1024"),
        (ATTRIBUTE | {"op": "eq", "value": 1 << 63}, "64 bits"),
        (EVENT | {"name": "a" * 257}, "256"),
        (EVENT | {"where": [{"property": "x", "op": "exists"}] * 21}, "20"),
        (EVENT | {"window": {"last": "1097d"}}, "3y"),
        (EVENT | {"window": {"last": "1d"}, "value": 10_001}, "10000"),
        ({"type": "sequence", "within": "91d", "steps": [{"name": "a"}] * 2}, "90d"),
        ({"type": "sequence", "within": "1d", "steps": [{"name": "a"}] * 6}, "2 to 5"),
    ],
    ids=lambda item: json.dumps(item)[:60],
)
def test_what_is_beyond_a_bound_is_told_the_bound(document: Any, bound: str) -> None:
    _, faults = check(document)
    assert bound in faults[0].message


@pytest.mark.parametrize(
    ("texts", "bound"),
    [
        ([f"{number:03}" + "a" * 250 for number in range(33)], "8192 characters"),
        ([f"{number:03}" + r"\p{Zl}" * 3 for number in range(34)], "100 Unicode classes"),
        ([f"{number:03}" + "a{0,1000}" for number in range(10)], "20000 instructions"),
    ],
)
def test_a_definitions_patterns_are_bounded_together(texts: list[str], bound: str) -> None:
    """The last pattern goes beyond the bound; the same pattern again costs nothing."""
    leaves = [ATTRIBUTE | {"op": "matches", "value": text} for text in texts]
    assert codes({"type": "any", "of": leaves[:-1]}) == []
    assert codes({"type": "any", "of": leaves[:-1] * 2}) == []
    _, faults = check({"type": "any", "of": leaves})
    assert [fault.pointer for fault in faults] == [f"/of/{len(texts) - 1}/value"]
    assert bound in faults[0].message


@pytest.mark.parametrize("number", ["9" * 5_000, "1e999", "[" * 400 + "]" * 400])
@pytest.mark.parametrize(
    "text",
    [
        '{"type": "attribute", "name": "a", "op": %s}',
        '{"type": "event", "name": "a", "op": "between", "value": [%s, 1]}',
        '{"type": "near", "attribute": "a", "lat": %s, "lon": 1, "km": 2}',
        '{"type": %s}',
    ],
)
def test_a_value_that_is_odd_beyond_measure_is_a_fault(text: str, number: str) -> None:
    node, faults = check_json((text % number).encode())
    assert node is None and all(len(fault.message) < 1_000 for fault in faults)


def test_the_bounds_themselves_are_within() -> None:
    within = {"type": "sequence", "within": "90d", "steps": [{"name": "a"}] * 5, "window": {"last": "3y"}}
    leaf = ATTRIBUTE | {"op": "in", "value": list(range(100))}
    assert (
        codes(
            {
                "type": "all",
                "of": [deep(9), *[leaf] * 90, within, *[EVENT | {"window": {"last": "1096d"}}] * 8],
            }
        )
        == []
    )


def test_references_must_exist_and_make_no_circle() -> None:
    def segment(name: str) -> dict[str, Any]:
        return {"type": "segment", "id": name}

    others: dict[str, Node | None] = {"b": msgspec.convert(segment("a"), Node), "list": None}
    assert codes(segment("nobody"), others=others) == [("/id", "unknown_segment")]
    assert codes(segment("list"), others=others) == []
    assert codes(segment("b"), others=others, segment_id="a") == [("", "cycle")]
    assert codes(segment("a"), others=others, segment_id="a") == [("", "cycle")]
    entered = {"type": "event", "name": "$segment_entered"}
    assert codes(entered, others=others, segment_id="a") == [("", "cycle")]
    where = [{"property": "segment", "op": "eq", "value": "b"}]
    assert codes(entered | {"where": where}, others=others, segment_id="a") == [("", "cycle")]
    assert codes(entered | {"where": where}, others=others, segment_id="c") == []


def test_segments_refer_to_each_other_over_so_many_levels_at_most() -> None:
    def segment(number: int) -> dict[str, Any]:
        return {"type": "segment", "id": f"s{number}"}

    def chain(first: int, last: int) -> dict[str, Node | None]:
        """Each names the one before it."""
        return {f"s{number}": msgspec.convert(segment(number - 1), Node) for number in range(first, last + 1)}

    others = {"s1": msgspec.convert({"type": "tag"}, Node)} | chain(2, MAX_LEVELS)
    assert codes(segment(MAX_LEVELS - 1), others=others) == []
    assert codes(segment(MAX_LEVELS), others=others) == [("", "too_deep")]
    assert codes({"type": "any", "of": [segment(5), segment(MAX_LEVELS)]}, others=others) == [
        ("", "too_deep")
    ]
    lower, upper = chain(2, 60), chain(62, 101)  # between them s61 is edited: it named nobody

    def dependents(id_: str) -> list[str]:
        return [
            name
            for name, root in upper.items()
            if root == msgspec.convert({"type": "segment", "id": id_}, Node)
        ]

    both = {"s1": msgspec.convert({"type": "tag"}, Node)} | lower | upper
    assert codes(segment(59), others=both, segment_id="s61", dependents=dependents) == []
    assert codes(segment(60), others=both, segment_id="s61", dependents=dependents) == [("", "too_deep")]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (None, "null"),
        ("a'b", '"a\'b"'),
        ([False, "x"], '[false,"x"]'),
        ([10**30], str([10**30])),
    ],
)
def test_a_message_names_a_value_as_it_was_sent(value: Any, text: str) -> None:
    assert shown_value(value) == text


def test_a_segment_that_has_no_id_yet_makes_no_circle_either() -> None:
    watcher = {"type": "event", "name": "$segment_entered"}
    others: dict[str, Node | None] = {"vip": msgspec.convert({"type": "tag"}, Node)}
    assert codes(watcher, others=others) == []
    others["watcher"] = msgspec.convert(watcher, Node)
    asks = {"type": "segment", "id": "watcher"}
    for dependents in (None, lambda id_: frozenset({"watcher"})):
        assert codes(watcher, others=others, dependents=dependents) == [("", "cycle")]
        assert codes({"type": "not", "of": asks}, others=others, dependents=dependents) == [("", "cycle")]
        assert codes({"type": "segment", "id": "vip"}, others=others, dependents=dependents) == []


FIELDS = ["type", "of", "name", "op", "value", "where", "window", "steps", "last", "id"]
TYPES = ["all", "any", "not", "attribute", "event", "occurrence", "sequence", "segment", "near"]


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    anything = st.dictionaries(st.sampled_from(FIELDS), inner)
    typed = st.builds(lambda sort, rest: rest | {"type": sort}, st.sampled_from(TYPES), anything)
    return st.lists(inner, max_size=3) | anything | typed


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JSON: st.SearchStrategy[Any] = st.recursive(SCALARS, containers, max_leaves=12)


@given(JSON)
def test_whatever_comes_it_answers(document: Any) -> None:
    node, faults = check(document, others={}, segment_id="me")
    assert (node is None) == bool(faults)


def test_a_value_list_must_be_there_and_stands_instead_of_values() -> None:
    listed = {"type": "attribute", "name": "city", "op": "in", "value_list": "cities"}
    node, faults = check(listed, lists={"cities": "ab12"})
    assert faults == [] and node is not None
    assert named(node) == {"cities": "ab12"} and shown(node) == listed
    _, faults = check(listed, lists={})
    assert [(each.pointer, each.code) for each in faults] == [("/value_list", "unknown_value_list")]
    assert "cities" in faults[0].message
    assert codes(listed | {"value": ["a"]}) == [("", "conflict")]
    assert codes(listed | {"op": "eq"}) == [("/value_list", "no_meaning")]
