import msgspec
import pytest

from livesegments.core.definition import Node
from livesegments.store.snapshot import Snapshot, folded
from livesegments.wire.catalog import Segment


def segment(id_: str, version: int = 1, name: str = "", definition: object = None) -> Segment:
    root = None if definition is None else msgspec.convert(definition, Node)
    return Segment("w", id_, name or id_, version, version, 0, 0, root)


def refer(id_: str) -> object:
    return {"type": "segment", "id": id_}


def test_a_draft_finds_what_an_edit_looks_up_and_leaves_its_snapshot_alone() -> None:
    watcher = {"type": "event", "name": "$segment_entered"}
    old = Snapshot("1", [segment("a"), segment("b", definition=refer("a")), segment("z", definition=watcher)])
    new = old.draft("2")
    new.put(segment("b", 2, "bee", refer("c")))
    new.put(segment("c"))
    new.drop("a", 1)
    assert old.named("b") is old.segments["b"] and old.users("a") == {"b"}
    assert old.dependents("a") == {"b", "z"} and old.retired == {}
    assert new.named("b") is None and new.named("bee") is new.segments["b"] and new.named("a") is None
    assert new.users("a") == frozenset() and new.users("c") == {"b"} and new.dependents("z") == frozenset()
    assert new.retired == {"a": 1} and new.segments.keys() == {"b", "c", "z"}


def test_names_that_are_one_today_may_have_been_two_before() -> None:
    old = Snapshot("1", [segment("a", name="Vip"), segment("b", name="VIP"), segment("c", name="other")])
    assert old.named("vip") is old.segments["a"] and old.named("vip", but="a") is old.segments["b"]
    new = old.draft("2")
    new.put(segment("a", 2, "elsewhere"))
    assert new.named("vip") is new.segments["b"] and new.named("vip", but="b") is None
    new.drop("b", 1)
    assert new.named("vip") is None and old.named("VIP") is old.segments["a"]


@pytest.mark.parametrize("other", ["CAFÉ  au lait", " café au lait", "CAFE\u0301 au\tlait"])
def test_how_a_name_is_written_makes_it_no_other(other: str) -> None:
    assert folded(other) == folded("Café au Lait") != folded("Cafe au lait")


def test_names_may_change_hands_in_one_draft() -> None:
    new = Snapshot("1", [segment("a", name="x"), segment("b", name="y")]).draft("2")
    new.put(segment("a", 2, "y"))
    new.put(segment("b", 2, "x"))
    assert new.named("x") is new.segments["b"] and new.named("y") is new.segments["a"]
