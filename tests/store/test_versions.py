"""Former definitions of segments go beside what replaces them, and the oldest go."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from livesegments.core.definition import Attribute
from livesegments.store import versions
from livesegments.store.actor import Actor, act_as
from livesegments.store.changes import Put
from livesegments.store.snapshot import Snapshot
from livesegments.wire.catalog import Segment, Version, decode

LAPSED = Segment("w", "lapsed", "Lapsed", 1, 1, 5, 5, Attribute("a", "eq", 1))


def edited(old: Segment, value: int, at_ms: int) -> Segment:
    return replace(
        old,
        version=old.version + 1,
        definition_version=old.definition_version + 1,
        updated_ms=at_ms,
        definition=Attribute("a", "eq", value),
    )


def written(puts: Sequence[Put]) -> list[Version]:
    found = [decode(each.value) for each in puts if each.value]
    assert all(isinstance(each, Version) for each in found)
    return found  # type: ignore[return-value]


def test_an_edit_writes_the_definition_before_it() -> None:
    act_as(Actor("ann's key"))
    first = versions.stamped(Snapshot("1"), LAPSED)
    assert (first.defined_ms, first.defined_by) == (5, "ann's key")
    act_as(Actor("bob's key"))
    renamed = replace(first, version=2, updated_ms=7, name="Gone")
    snapshot = Snapshot("1", [first])
    assert versions.former(snapshot, [renamed]) == []
    assert versions.stamped(snapshot, renamed).defined_by == "ann's key"
    second = edited(first, 2, 9)
    assert written(versions.former(snapshot, [second])) == [
        Version("w", "lapsed", 1, 5, 9, "ann's key", first.definition)
    ]
    assert versions.stamped(snapshot, second).defined_by == "bob's key"
    assert versions.former(snapshot, [replace(LAPSED, id="new")]) == []
    act_as(Actor())


def test_only_the_newest_stay_and_none_of_a_deleted_one() -> None:
    there: dict[str, bytes] = {}
    segment = replace(LAPSED, version=4, definition_version=4)
    retired = {"lapsed": 3}  # made anew under an id that was used
    for number in range(150):
        new = edited(segment, number, 10 + number)
        for put in versions.former(Snapshot("1", [segment], retired), [new]):
            if put.value:
                there[put.field] = put.value
            else:
                del there[put.field]
        segment = new
    newest = segment.definition_version
    assert set(there) == {f"lapsed/{each}" for each in range(newest - versions.KEPT + 1, newest)}
    for put in versions.deleted(Snapshot("1", [segment], retired), [segment]):
        assert not put.value
        del there[put.field]
    assert there == {}


def test_one_that_was_stored_before_this_was_noted_has_an_instant() -> None:
    assert versions.present(LAPSED, 0).since_ms == 5
    assert versions.present(replace(LAPSED, definition_version=2, updated_ms=8), 0).since_ms == 8
