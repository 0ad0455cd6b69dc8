"""Edits of a definition in the builder: none loses anything, whatever the definition."""

from __future__ import annotations

import json
from collections import Counter
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesegments.console.builder import kinds, tree
from livesegments.console.builder.history import History, same
from livesegments.console.builder.pointer import get
from livesegments.console.builder.rows import Row, rows, size, walk
from tests.properties.definitions import definitions

Json = dict[str, Any]


def tag(name: str) -> Json:
    return {"type": "tag", "name": name}


def group(kind: str, *of: Json) -> Json:
    return {"type": kind, "of": list(of)}


def denied(of: Json) -> Json:
    return {"type": "not", "of": of}


A, B, C, D = (tag(name) for name in "abcd")
TREE = group("all", A, group("any", B, C), denied(D))


def leaves(document: Any) -> Counter[str]:
    """Every row that is no group, as JSON, and how often."""
    return Counter(json.dumps(each.node) for each in walk(rows(document)) if each.form != "group")


def test_a_condition_is_put_into_a_group_or_beside_the_only_one() -> None:
    assert tree.add(TREE, "/of/1", 1, D).document == group("all", A, group("any", B, D, C), denied(D))
    assert tree.add(A, "", 0, B) == (group("all", A, B), "/of/1")
    assert tree.add(denied(group("any", A)), "", 9, B) == (denied(group("any", A, B)), "/of/of/1")


def test_one_is_taken_away() -> None:
    assert tree.remove(TREE, "/of/0") == (group("all", group("any", B, C), denied(D)), "/of/0")
    assert tree.remove(TREE, "/of/2") == (group("all", A, group("any", B, C)), "/of/1")
    assert tree.remove(group("all", denied(group("any", A))), "/of/0/of/of/0").pointer == "/of/0"
    assert tree.remove(A, "") == (group("all"), "")


def test_one_is_copied() -> None:
    assert tree.duplicate(TREE, "/of/0").document == group("all", A, A, group("any", B, C), denied(D))
    assert tree.duplicate(A, "").document == group("all", A, A)


def test_groups_come_and_go() -> None:
    wrapped = tree.wrap(TREE, "/of/0", "any").document
    assert wrapped == group("all", group("any", A), group("any", B, C), denied(D))
    assert tree.unwrap(wrapped, "/of/0").document == TREE
    assert tree.unwrap(TREE, "/of/1").document == group("all", A, B, C, denied(D))
    assert tree.unwrap(TREE, "").document == TREE
    kept = group("all", denied(group("any", A, B)))
    assert tree.unwrap(kept, "/of/0").document == kept


def test_a_row_is_denied_and_no_more() -> None:
    assert tree.deny(TREE, "/of/0").document == group("all", denied(A), group("any", B, C), denied(D))
    assert tree.deny(TREE, "/of/2").document == group("all", A, group("any", B, C), D)


def test_a_row_becomes_another_kind() -> None:
    assert tree.change(TREE, "/of/1", "all").document == group("all", A, group("all", B, C), denied(D))
    event = {"type": "event", "names": ["x", "y"], "window": {"last": "1y"}, "value": 3}
    changed = {"type": "occurrence", "which": "first", "names": ["x", "y"], "window": {"last": "1y"}}
    assert tree.change(denied(event), "", "occurrence").document == denied(changed)
    assert tree.change({"type": "event", "name": "x"}, "", "tag").document == tag("")
    assert "window" not in tree.change({"type": "event", "name": "x"}, "", "occurrence").document


@pytest.mark.parametrize(
    ("pointer", "to", "index", "moved", "at"),
    [
        ("/of/0", "", 2, group("all", group("any", B, C), A, denied(D)), "/of/1"),
        ("/of/2", "", 0, group("all", denied(D), A, group("any", B, C)), "/of/0"),
        ("/of/1/of/0", "", 0, group("all", B, A, group("any", C), denied(D)), "/of/0"),
        ("/of/0", "/of/1", 1, group("all", group("any", B, A, C), denied(D)), "/of/0/of/1"),
        ("/of/1", "/of/1", 0, TREE, "/of/1"),
        ("", "/of/1", 0, TREE, ""),
        ("/of/0", "/of/2", 0, TREE, "/of/0"),
    ],
)
def test_a_row_is_moved(pointer: str, to: str, index: int, moved: Json, at: str) -> None:
    before = deepcopy(TREE)
    assert tree.move(TREE, pointer, to, index) == (moved, at)
    assert before == TREE


def test_a_group_that_is_empty_then_goes() -> None:
    assert tree.move(group("all", A, denied(group("any", B))), "/of/1/of/of/0", "", 0) == (
        group("all", B, A),
        "/of/0",
    )


def test_a_row_dropped_onto_another_makes_a_group() -> None:
    assert tree.combine(TREE, "/of/2", "/of/0").document == group(
        "all", group("any", A, denied(D)), group("any", B, C)
    )
    assert tree.combine(TREE, "/of/0", "/of/2").document == group(
        "all", group("any", B, C), group("any", denied(D), A)
    )
    assert tree.combine(TREE, "/of/1/of/0", "/of/1/of/1").document == group(
        "all", A, group("any", group("any", C, B)), denied(D)
    )


def test_by_keys_a_row_goes_past_its_neighbours_into_groups_and_out() -> None:
    assert tree.down(TREE, "/of/0").document == group("all", group("any", B, C), A, denied(D))
    assert tree.up(TREE, "/of/2").document == group("all", A, denied(D), group("any", B, C))
    assert tree.up(TREE, "/of/1/of/0") == (group("all", A, B, group("any", C), denied(D)), "/of/1")
    assert tree.down(TREE, "/of/1/of/1") == (group("all", A, group("any", B), C, denied(D)), "/of/2")
    assert tree.enter(TREE, "/of/2") == (group("all", A, group("any", B, C, denied(D))), "/of/1/of/2")
    assert tree.leave(TREE, "/of/1/of/0") == (group("all", A, group("any", C), B, denied(D)), "/of/2")
    for step in (tree.up, tree.down, tree.enter, tree.leave):
        assert step(TREE, "").document == TREE
    assert tree.up(TREE, "/of/0").document == tree.enter(TREE, "/of/0").document == TREE


def test_what_is_no_node_is_a_row_and_stays_as_it_is() -> None:
    strange: list[Any] = [
        None,
        7,
        "x",
        {},
        {"type": "new"},
        {"type": "all", "of": 1},
        {"type": "not", "of": []},
    ]
    strange.append({"type": "any", "of": [], "extra": 1})
    document = {"type": "all", "of": strange}
    assert [each.form for each in rows(document).rows] == ["raw"] * len(strange)
    moved = tree.move(document, "/of/0", "", 3).document
    assert sorted(map(repr, moved["of"])) == sorted(map(repr, strange))


documents = definitions(("s0",), False, 3)
EDITS = ("move", "combine", "wrap", "unwrap", "deny", "up", "down", "enter", "leave")


def edit(name: str, document: Any, pointer: str, onto: str, index: int) -> tree.Edited:
    match name:
        case "move":
            return tree.move(document, pointer, onto, index)
        case "combine":
            return tree.combine(document, pointer, onto)
        case "wrap":
            return tree.wrap(document, pointer, "any")
    made: tree.Edited = getattr(tree, name)(document, pointer)
    return made


@settings(max_examples=60, deadline=None, derandomize=True)
@given(documents)
def test_the_rows_show_every_node_and_lead_back_to_it(document: Json) -> None:
    shown = [*walk(rows(document))]
    assert sum(1 + each.nots for each in shown) == size(document)
    for each in shown:
        assert get(document, each.inner) is each.node
        assert get(document, each.pointer + "/of" * each.nots) is each.node


@settings(max_examples=60, deadline=None, derandomize=True)
@given(documents, st.data())
def test_no_edit_loses_a_condition_and_all_of_them_are_undone(document: Json, data: st.DataObject) -> None:
    history = History(document)
    seen = [document]
    for _ in range(data.draw(st.integers(1, 6))):
        now = history.present
        shown = [*walk(rows(now))]
        row = data.draw(st.sampled_from(shown))
        groups = [each for each in shown if each.form == "group"]
        onto: Row = data.draw(st.sampled_from(groups or shown))
        index = data.draw(st.integers(0, 3))
        name = data.draw(st.sampled_from(EDITS))
        before = deepcopy(now)
        edited = edit(name, now, row.pointer, onto.pointer, index)
        assert same(before, now)
        if name == "unwrap" and row.form == "group" and not row.rows:
            continue
        assert leaves(edited.document) == leaves(now), name
        get(edited.document, edited.pointer)
        history = history.edited(edited.document)
        if not same(seen[-1], edited.document):
            seen.append(edited.document)
    assert same(json.loads(json.dumps(history.present)), history.present)
    for earlier in reversed(seen[:-1]):
        history = history.undone()
        assert same(history.present, earlier)
    for later in seen[1:]:
        history = history.redone()
        assert same(history.present, later)


def test_typing_into_one_field_is_one_step_and_undo_is_bounded() -> None:
    history = History(0)
    for text in ("a", "ab", "abc"):
        history = history.edited(text, "/name")
    assert history.undone().present == 0
    assert history.undone().redone().present == "abc"
    assert history.edited("abcd", "/other").undone().present == "abc"
    for number in range(1_000):
        history = history.edited(number)
    assert len(history.before) == 200
    assert history.edited(999) is history
    assert not same(1, 1.0)
    assert not same({"a": [1]}, {"a": [True]})


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_a_new_condition_has_only_fields_of_its_kind(kind: str) -> None:
    start = kinds.new(kind)
    assert start.keys() - {"type"} <= set(kinds.KINDS[kind].fields)
    assert kinds.new(kind) is not start
