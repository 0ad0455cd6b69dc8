"""Faults and warnings are shown at the node, and the field, that they concern."""

from __future__ import annotations

import pytest

from livesegments.console.builder.notes import Note, of_definition, of_rest, place
from livesegments.core.check import check
from livesegments.core.fault import Fault

TREE = {
    "type": "all",
    "of": [
        {"type": "not", "of": {"type": "event", "name": "x", "window": {"last": "1 day"}}},
        {"type": "attribute", "name": "", "op": "eq", "value": 1},
        {"type": "any", "of": []},
    ],
}


@pytest.mark.parametrize(
    ("pointer", "node", "field"),
    [
        ("", "", ""),
        ("/of/0/of/window/last", "/of/0/of", "window/last"),
        ("/of/1/name", "/of/1", "name"),
        ("/of/2/of", "/of/2", "of"),
        ("/of/2/of/7/name", "/of/2", "of/7/name"),
        ("/of/9", "", "of/9"),
        ("/type", "", "type"),
        ("/of/0", "/of/0", ""),
    ],
)
def test_it_is_the_innermost_node_that_is_there(pointer: str, node: str, field: str) -> None:
    assert place(TREE, pointer) == (node, field)


def test_faults_of_the_check_have_their_places_and_are_sentences() -> None:
    _, faults = check(TREE, timezone="UTC", others={}, segment_id="x")
    given = [Fault(f"/definition{each.pointer}", each.code, each.message) for each in faults]
    found = of_definition(TREE, [*given, Fault("/name", "taken", "has a segment already")], bad=True)
    assert {(note.node, note.field) for note in found} == {
        ("/of/0/of", "window/last"),
        ("/of/1", "name"),
        ("/of/2", "of"),
    }
    assert all(not note.words[0].islower() and note.words.endswith(".") for note in found)
    (rest,) = of_rest([*given, Fault("/name", "taken", "has a segment already")], bad=True)
    assert rest == Note("", "name", "taken", "has a segment already", True)
    assert rest.words == "Name has a segment already."


def test_a_definition_that_is_nothing_has_its_faults_too() -> None:
    assert place(None, "/of/1") == ("", "of/1")
