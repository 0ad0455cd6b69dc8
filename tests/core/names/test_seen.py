"""The names that were seen in events: bounded whatever comes, and right about everything that is kept."""

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from livesegments.core.names import seen
from livesegments.core.names.flatten import MAX_LEAVES, leaves
from livesegments.core.names.seen import Name, Names, Path, frequent, merge, observe, surplus
from tests.effort import effort

SCALARS = st.one_of(
    st.text(max_size=3), st.integers(-5, 5), st.booleans(), st.floats(allow_nan=False, width=16)
)
VALUES = st.recursive(
    st.one_of(st.none(), SCALARS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text("ab.", max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)
EVENTS = st.lists(
    st.tuples(st.integers(0, 99), st.dictionaries(st.text("ab.", max_size=2), VALUES, max_size=4)),
    max_size=12,
)


def name_of(events: list[tuple[int, dict[str, Any]]]) -> Name:
    names: Names = {"n": Name(0)}
    for time_ms, properties in events:
        observe(names, "n", time_ms, properties)
    return names["n"]


def test_paths_types_and_frequent_values_of_events() -> None:
    names: Names = {}
    order = {"total": 9.5, "products": [{"sku": "a", "price": 1}, {"sku": "b"}], "coupon": None, "gift": True}
    for time_ms in (2, 3, 1):
        observe(names, "order", time_ms, order)
    paths = names["order"].paths
    assert (names["order"].last_ms, names["order"].count) == (3, 3)
    assert {path: sorted(each.types) for path, each in paths.items()} == {
        "total": ["number"],
        "products": ["list"],
        "products.sku": ["string"],
        "products.price": ["number"],
        "gift": ["boolean"],
    }
    assert paths["total"].last_ms == 3
    assert frequent(paths["products.sku"]) == ["a", "b"] and frequent(paths["gift"]) == [True]


def test_attributes_are_whole_names_and_objects_are_points() -> None:
    names: Names = {}
    observe(names, "$profile", 1, {"address.city": "Kyiv", "home": {"lat": 1, "lon": 2}}, dotted=False)
    paths = names["$profile"].paths
    assert {path: list(each.types) for path, each in paths.items()} == {
        "address.city": ["string"],
        "home": ["point"],
    }


def test_no_addresses_and_no_long_texts_are_kept() -> None:
    found = list(leaves({"email": "ada@example.org", "note": "x" * 61, "plan": "pro"}, True))
    assert found == [("email", "string", None), ("note", "string", None), ("plan", "string", '"pro"')]


def test_a_value_that_was_seen_once_is_not_frequent() -> None:
    assert frequent(name_of([(0, {"a": number}) for number in range(1_000)]).paths["a"]) == []


@settings(derandomize=True, deadline=None, max_examples=effort(25, 100))
@given(EVENTS, EVENTS)
def test_merging_is_seeing_both_in_any_order(first: Any, second: Any) -> None:
    one, two = name_of(first), name_of(second)
    both = merge(one, two)
    assert both == merge(two, one)
    alone = name_of([*first, *second])
    assert (both.last_ms, both.count) == (alone.last_ms, alone.count)
    assert {path: (each.types, each.last_ms, each.count) for path, each in both.paths.items()} == {
        path: (each.types, each.last_ms, each.count) for path, each in alone.paths.items()
    }
    assert seen.decode(seen.encode(both)) == both


@settings(derandomize=True, deadline=None)
@given(st.lists(st.lists(st.integers(0, 60), max_size=150), max_size=4))
def test_counts_hold_whatever_was_evicted_and_merged(parts: list[list[int]]) -> None:
    whole = Name(0)
    for part in parts:
        whole = merge(whole, name_of([(0, {"a": number}) for number in part]))
    true = Counter(str(number) for part in parts for number in part)
    kept = whole.paths.get("a", Path(0)).values
    assert len(kept) <= seen.MAX_VALUES
    for value, found in kept.items():
        assert found.count - found.error <= true[value] <= found.count
    frequent_ones = {value for value, times in true.items() if times > 2 * true.total() / seen.MAX_VALUES}
    assert frequent_ones <= kept.keys()


def test_everything_is_bounded() -> None:
    values = [f"{value} {'y' * 50}" for value in range(20)]
    wide = [
        {f"property {number} {'x' * 200}": values for number in range(n, n + 20)} for n in range(0, 300, 20)
    ]
    name = name_of([(time_ms, properties) for time_ms in range(3) for properties in wide])
    assert name.full and len(name.paths) == seen.MAX_PATHS
    assert len(list(leaves({"a": [{f"{n}": [1] * 50} for n in range(99)]}, True))) <= MAX_LEAVES
    merged = merge(name, name_of([(9, {f"other {number}": 1 for number in range(300)})]))
    assert merged.full and len(merged.paths) <= seen.MAX_PATHS
    assert len(seen.encode(merged)) <= seen.MAX_BYTES
    deep: Any = 1
    for _ in range(500):
        deep = {"a": deep}
    assert name_of([(0, {"a": deep})]).paths == {}


def test_of_too_many_names_those_seen_the_longest_ago_go() -> None:
    names = {f"n{number}": Name(number) for number in range(seen.MAX_NAMES + 2)} | {"$profile": Name(-1)}
    assert surplus(names) == ["n0", "n1"]
    assert surplus(names, seen.MAX_NAMES + 1) == ["n0"]
    assert surplus({"a": Name(0)}) == []
