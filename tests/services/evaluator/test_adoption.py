"""Adoption without I/O: rounds of a walk, and since when a segment is complete."""

from typing import Any

import msgspec

from livesegments.core.definition import Node
from livesegments.core.plan import Plan, Segment, compile
from livesegments.evaluator.adoption import Adopted
from livesegments.store.commit import Commit

TAG: dict[str, Any] = {"type": "tag", "name": "vip"}
ORDERED: dict[str, Any] = {"type": "event", "name": "order"}


def plan_of(revision: int, **definitions: tuple[int, dict[str, Any]]) -> Plan:
    segments = [
        Segment(id_, version, version, msgspec.convert(item, Node))
        for id_, (version, item) in definitions.items()
    ]
    return compile("w", "UTC", segments, revision)


def walk(adopted: Adopted, plan: Plan, cursor: int) -> None:
    """One chunk of ten profiles."""
    if adopted.walked(cursor, 10):
        adopted.write_walked(Commit(0, 1, 0, None, 0), plan)


def ready(adopted: Adopted) -> set[str]:
    return {id_ for id_, each in adopted.progress.items() if each.state == "ready"}


def complete_since(adopted: Adopted) -> dict[str, int | None]:
    return {id_: each.complete_since_ms for id_, each in adopted.progress.items()}


def test_a_change_in_the_middle_of_a_walk_waits_for_the_next_round() -> None:
    adopted, plan = Adopted({}, {}), plan_of(1, a=(1, TAG))
    adopted.adopt(plan, 0, 20)
    walk(adopted, plan, 7)
    plan = plan_of(2, a=(1, TAG), b=(1, TAG))
    adopted.adopt(plan, 0, 20)
    walk(adopted, plan, 0)
    assert (ready(adopted), adopted.walking) == ({"a"}, True)
    walk(adopted, plan, 7)
    assert ready(adopted) == {"a"} and adopted.progress["b"].done == 10
    walk(adopted, plan, 0)
    assert (ready(adopted), adopted.walking) == ({"a", "b"}, False)


def test_changes_that_keep_coming_keep_nothing_from_getting_ready() -> None:
    definitions: dict[str, tuple[int, dict[str, Any]]] = {"a": (1, TAG)}
    adopted = Adopted({}, {})
    for number in range(6):
        plan = plan_of(number, **definitions)
        adopted.adopt(plan, 0, 20)
        walk(adopted, plan, 7 if adopted.cursor == 0 else 0)
        definitions[f"new{number}"] = (1, TAG)
    assert {"a", "new0", "new1"} <= ready(adopted)


def test_what_is_edited_or_deleted_in_the_middle_of_its_walk_is_walked_again() -> None:
    adopted, plan = Adopted({}, {}), plan_of(1, a=(1, TAG), b=(1, TAG), c=(1, TAG))
    adopted.adopt(plan, 0, 20)
    walk(adopted, plan, 7)
    plan = plan_of(2, a=(1, TAG), b=(2, TAG))
    adopted.adopt(plan, 0, 20)
    walk(adopted, plan, 0)
    assert ready(adopted) == {"a"} and "c" in adopted.progress
    walk(adopted, plan, 0)
    assert ready(adopted) == {"a", "b"} == adopted.progress.keys()


def test_a_new_fact_counts_from_now_a_shared_one_from_when_it_was_made_and_one_made_anew_from_then() -> None:
    adopted = Adopted({}, {})
    adopted.adopt(plan_of(1, first=(1, ORDERED)), 100, 0)
    adopted.adopt(plan_of(2, first=(1, ORDERED), shared=(1, ORDERED), tagged=(1, TAG)), 200, 0)
    assert complete_since(adopted) == {"first": 100, "shared": 100, "tagged": None}
    adopted.adopt(plan_of(3, tagged=(1, TAG)), 300, 0)
    adopted.adopt(plan_of(4, tagged=(1, TAG), again=(1, ORDERED)), 400, 0)
    assert complete_since(adopted)["again"] == 400


def test_a_segment_is_complete_since_those_are_that_it_refers_to() -> None:
    adopted = Adopted({}, {})
    through = {"type": "not", "of": {"type": "segment", "id": "a"}}
    beyond = {"type": "segment", "id": "b"}
    adopted.adopt(plan_of(1, a=(1, TAG), b=(1, through), c=(1, beyond)), 100, 0)
    assert complete_since(adopted) == {"a": None, "b": None, "c": None}
    news = adopted.adopt(plan_of(2, a=(2, ORDERED), b=(1, through), c=(1, beyond)), 200, 0)
    assert complete_since(adopted) == {"a": 200, "b": 200, "c": 200}
    assert news is not None and set(news.segments) == {"a", "b", "c"}
    adopted.adopt(plan_of(3, a=(3, TAG), b=(1, through), c=(1, beyond)), 300, 0)
    assert complete_since(adopted) == {"a": None, "b": None, "c": None}


def test_an_edit_writes_of_ten_thousand_segments_only_itself() -> None:
    many: dict[str, tuple[int, dict[str, Any]]] = {f"s{number}": (1, TAG) for number in range(10_000)}
    adopted, plan = Adopted({}, {}), plan_of(1, **many)
    adopted.adopt(plan, 0, 10)
    walk(adopted, plan, 0)
    news = adopted.adopt(plan_of(2, **many | {"s1": (2, ORDERED)}), 0, 10)
    assert news is not None and set(news.segments) == {"s1"}
    assert len(news.new) == 1 and not news.gone
