"""Names in a definition that were never seen, and the names that may have been meant."""

from typing import Any

import pytest

from livesegments.core.check import check
from livesegments.core.names.seen import GAVE_WAY, Name, Names, Path, observe
from livesegments.core.names.unseen import nearest, unseen

NAMES: Names = {}
observe(NAMES, "Order Completed", 1, {"total": 1, "products": [{"sku": "a"}]})
observe(NAMES, "page", 1, {"url": "/"})
observe(NAMES, "$profile", 1, {"plan": "pro", "country": "UA"}, dotted=False)


def found(definition: Any, names: Names = NAMES) -> list[tuple[str, str, str]]:
    node, faults = check(definition, timezone="UTC")
    assert node is not None, faults
    return [(each.pointer, each.code, each.message.partition("; ")[2]) for each in unseen(node, names)]


def event(name: str, *properties: str, **more: Any) -> dict[str, Any]:
    where = [{"property": each, "op": "exists"} for each in properties]
    return {"type": "event", "name": name, "where": where, "window": {"last": "7d"}, **more}


PLAN = {"type": "attribute", "name": "plna", "op": "eq", "value": "pro"}


@pytest.mark.parametrize(
    ("definition", "warnings"),
    [
        (event("Order Completed", "total", "products.sku", "products"), []),
        (event("order_completed"), [("/name", "unseen_event", "did you mean 'Order Completed'?")]),
        (event("Order Compleet"), [("/name", "unseen_event", "did you mean 'Order Completed'?")]),
        (event("zzz", "anything"), [("/name", "unseen_event", "")]),
        (event("page", "ulr"), [("/where/0/property", "unseen_property", "did you mean 'url'?")]),
        (
            event("Order Completed", measure={"of": "sum", "property": "totals"}),
            [("/measure/property", "unseen_property", "did you mean 'total'?")],
        ),
        (PLAN, [("/name", "unseen_attribute", "did you mean 'plan'?")]),
        (
            {"type": "all", "of": [event("page"), {"type": "not", "of": PLAN}]},
            [("/of/1/of/name", "unseen_attribute", "did you mean 'plan'?")],
        ),
        (event("$attribute_changed", "name", "to"), []),
        (
            event("$attribute_changed", "nmae"),
            [("/where/0/property", "unseen_property", "did you mean 'name'?")],
        ),
        (
            {"type": "sequence", "steps": [{"name": "page"}, {"name": "pgae"}], "within": "1d"},
            [("/steps/1/name", "unseen_event", "did you mean 'page'?")],
        ),
        (
            {"type": "occurrence", "which": "first", "name": "pages", "window": {"last": "7d"}},
            [("/name", "unseen_event", "did you mean 'page'?")],
        ),
        (
            {"type": "near", "attribute": "contry", "lat": 1, "lon": 1, "km": 1},
            [("/attribute", "unseen_attribute", "did you mean 'country'?")],
        ),
        ({"type": "tag", "name": "vip"}, []),
    ],
)
def test_what_was_never_seen_is_named_with_the_nearest(definition: Any, warnings: Any) -> None:
    assert found(definition) == warnings


def test_nothing_is_said_where_nothing_was_seen() -> None:
    assert found(event("anything"), {}) == []


def test_nothing_is_said_of_what_was_too_much_to_keep() -> None:
    full = {"page": Name(1, 1, True, {"a": Path(1)}), "$profile": Name(1, 1, True)}
    assert found(event("page", "b"), full) == [] and found(PLAN, full) == []
    assert found(event("other"), {"n": Name(1), GAVE_WAY: Name(1)}) == []


def test_an_inner_object_is_no_unseen_property() -> None:
    names: Names = {}
    observe(names, "page", 1, {"campaign": {"name": "spring"}})
    assert found(event("page", "campaign"), names) == []


def test_the_nearest_name_does_not_depend_on_case_or_punctuation() -> None:
    assert nearest("order-placed", ["Order Placed", "order cancelled"]) == "Order Placed"
    assert nearest("x", ["Order Placed"]) is None and nearest("x", []) is None
