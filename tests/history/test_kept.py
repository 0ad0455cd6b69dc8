"""Answers by columns that are kept are those that the files alone give, whatever becomes of the files.

Random definitions are asked of random histories of several profiles in two partitions, between which files come, are
merged and are written anew; some profiles are merged, take something back, or have transitions and no event.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from msgspec import Struct

from livesegments.core.event import MERGE, RETRACT, Event, Transition
from livesegments.history import schema
from livesegments.history.archive import Archive
from livesegments.history.asked import RESTS, Desk
from livesegments.history.asking import Asked, Found, Prepared, Preparing
from livesegments.history.kept.shelf import ROW_BYTES, Shelf
from livesegments.history.protocol import Person
from livesegments.history.pruning import EVER, EVER_MS, prune
from livesegments.history.ranges import Range
from livesegments.history.sql import answers, numbered
from livesegments.history.sql.reads import lanes_read
from livesegments.history.sql.session import Sessions
from livesegments.history.timeline import Asked as TimelineAsked
from livesegments.history.timeline import timeline
from livesegments.store.history import Snapshot
from livesegments.store.tail import Entry, applied
from livesegments.wire import pack
from tests.effort import effort
from tests.properties.aim import PROFILE
from tests.properties.definitions import Draw, Json, definitions, node, written_out
from tests.properties.histories import DAY, HOUR, changes, properties

START = 1_709_280_000_000
PARTITIONS, WORKSPACES, PROFILES = 2, ("w", "w", "w", "v"), "abcdefgh"
SESSIONS = Sessions({"threads": 2})
SEEDS, EXAMPLES = effort(1, 2), 2


class Did(Struct, frozen=True):
    """What a profile did; `entered`: nothing but that it went into a segment."""

    profile: str
    name: str
    later_ms: int
    workspace: str
    properties: Json = {}
    entered: bool = False


class World:
    """What the store and the archive have."""

    def __init__(self, folder: Path) -> None:
        self.archive = Archive(str(folder))
        self.files: list[list[Range]] = [[] for _ in range(PARTITIONS)]
        self.tails: list[list[tuple[int, Entry]]] = [[] for _ in range(PARTITIONS)]
        self.gone: dict[tuple[str, str], int] = {}
        self.commits, self.clock_ms = 0, START

    def read(self, partition: int, counted: Any = None) -> Snapshot:
        names = [each.name for each in self.files[partition]]
        gone = {who: commit for who, commit in self.gone.items() if _home(*who) == partition}
        return Snapshot(names, list(self.tails[partition]), self.clock_ms, gone=gone)

    def happen(self, did: Did) -> None:
        self.commits += 1
        self.clock_ms += max(did.later_ms, 0)
        at, id_ = self.clock_ms + min(did.later_ms, 0), f"e{self.commits}"
        told = [
            Transition(
                id=f"t{self.commits}", workspace=did.workspace, segment="s1", profile=did.profile, kind="entered",
                at_ms=self.clock_ms, sequence=self.commits, cause="clock", event_id=None, version=1,
            )
        ]  # fmt: skip
        if did.entered:
            entry = Entry(told=msgspec.msgpack.encode(told))
        else:
            event = Event(id_, did.workspace, did.profile, did.name, at, did.properties)
            entry = Entry(pack.encode(pack.Packed([event])), clock_ms=self.clock_ms)
        self.tails[_home(did.workspace, did.profile)].append((self.commits, entry))

    def cut(self) -> None:
        """The tails become files."""
        for partition, tail in enumerate(self.tails):
            if tail:
                of = Range(tail[0][0], tail[-1][0], "aaaaaaaa")
                events = schema.events_table(
                    each for commit, entry in tail for each in applied(commit, entry)
                )
                told = schema.transitions_table((commit, entry.transitions) for commit, entry in tail)
                self.archive.write(partition, of, events, told)
                self.files[partition].append(of)
                tail.clear()

    def merge(self) -> None:
        for partition, files in enumerate(self.files):
            if len(files) > 1:
                of = Range(files[0].first, files[-1].last, "bbbbbbbb")
                self.archive.merge(partition, files, of)
                self._stand(partition, [of])

    def ask_to_erase(self, profile: str) -> None:
        """The files have the rows as before."""
        self.gone["w", profile] = self.commits

    def erase(self, profile: str) -> None:
        partition = PROFILES.index(profile) % PARTITIONS
        person = Person("w", profile, EVER, EVER_MS, EVER)
        found = prune(self.archive, partition, self.files[partition], [person], "c1", "key").pruned
        new = {each.old: each.new for each in found}
        self._stand(partition, [new.get(each, each) for each in self.files[partition]])

    def _stand(self, partition: int, files: list[Range]) -> None:
        self.archive.remove(partition, [each for each in self.files[partition] if each not in files])
        self.files[partition] = files


def _home(workspace: str, profile: str) -> int:
    """Of another workspace: another partition."""
    return (PROFILES.index(profile) + (workspace == "v")) % PARTITIONS


@st.composite
def dids(draw: Draw) -> Did:
    profile, workspace = draw(st.sampled_from(PROFILES)), draw(st.sampled_from(WORKSPACES))
    later_ms = draw(st.sampled_from((0, 1, HOUR, HOUR, DAY, 20 * DAY, -HOUR, -DAY)))
    match draw(st.integers(0, 19)):
        case 0:
            return Did(profile, "", later_ms, workspace, entered=True)
        case 1:
            return Did(profile, RETRACT, later_ms, workspace, {"event_id": f"e{draw(st.integers(1, 40))}"})
        case 2:
            return Did(profile, MERGE, later_ms, workspace, {"into": "z"})
        case number if number < 8:
            return Did(profile, PROFILE, later_ms, workspace, draw(changes()))
    return Did(profile, draw(st.sampled_from("ab")), later_ms, workspace, draw(properties()))


@st.composite
def questions(draw: Draw) -> Asked:
    others = ("s0", "z0")
    asked = [node(draw(definitions(others, False))) for _ in range(2)]
    first, other = (written_out(each) for each in asked)
    both = msgspec.structs.replace(ANY, of=(first, other, *ANY.of))
    other = written_out(node(draw(definitions((), False))))
    return Asked("w", "Europe/Berlin", None, both, {"s0": other, "z0": 1}, "s2", draw(BEFORE), sample=20)


TWICE: Json = {"type": "event", "name": "a", "value": 2, "window": {"last": "30d"}}
PAIR: Json = {
    "type": "sequence", "within": "1h", "steps": [{"name": "a"}, {"name": "b", "absent": True}]
}  # fmt: skip
SUM: Json = {"type": "event", "name": "b", "measure": {"of": "sum", "property": "x"}, "op": "gte", "value": 1}
ANY: Any = node({"type": "any", "of": [TWICE, PAIR, SUM]})
BEFORE = st.sampled_from((None, None, node(TWICE)))


@pytest.mark.parametrize("number", range(SEEDS))
def test_columns_that_are_kept_give_what_the_files_give(
    number: int, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_numbers = []
    attach = numbered.attach_numbered

    def counted(*given: Any) -> Any:
        lists = attach(*given)
        by_numbers.append(lists is not None)
        return lists

    monkeypatch.setattr("livesegments.history.asked.attach_numbered", counted)

    @seed(number)
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.lists(dids(), min_size=60, max_size=60), st.lists(questions(), min_size=6, max_size=6))
    def race(happened: list[Did], asked: list[Asked]) -> None:
        world = World(tmp_path_factory.mktemp("archive"))
        desk, plain = (Desk(world.archive, world, PARTITIONS, "unused") for _ in range(2))  # type: ignore[arg-type]
        desk._sessions = plain._sessions = SESSIONS
        plain._kept = Shelf(world.archive, PARTITIONS, most_bytes=-1)
        erase: Callable[[], object] = lambda: world.erase("a")  # noqa: E731
        steps: tuple[Callable[[], object], ...] = (
            world.cut,
            lambda: world.ask_to_erase("c"),
            world.cut,
            world.merge,
            erase,
            world.cut,
        )
        for place, (step, question) in enumerate(zip(steps, asked, strict=True)):
            for did in happened[place * 10 : place * 10 + 10]:
                world.happen(did)
            step()
            this = msgspec.structs.replace(question, now_ms=(None, world.clock_ms)[place % 2])
            if place % 3:
                lanes = lanes_read(
                    [ANY, *(root for root in question.segments.values() if not isinstance(root, int))]
                )
                preparing = Preparing("w", "Europe/Berlin", place % PARTITIONS, lanes)
                assert desk.answer(preparing) == Prepared(True)
            monkeypatch.setattr(answers, "MOST_ODD", place % 2 * 9)
            found = desk.answer(this)
            assert isinstance(found, Found), found
            assert found == plain.answer(this), this

    race()
    assert by_numbers.count(True) * 4 > len(by_numbers)  # by the other desk, none


def test_nothing_is_kept_of_who_was_erased_or_after_a_while(tmp_path: Path) -> None:
    world = World(tmp_path)
    for profile in "abcd" * 2:
        world.happen(Did(profile, "b", HOUR, "w", {"x": 1}))
    world.cut()
    desk = Desk(world.archive, world, PARTITIONS, "unused")  # type: ignore[arg-type]
    desk._sessions = SESSIONS
    question = Asked("w", "UTC", None, ANY, {})

    def kept() -> set[str]:
        assert isinstance(desk.answer(question), Found)
        columns = desk._kept._columns.values()
        return {id_ for each in columns for id_ in each.people.column("id").to_pylist()}

    assert kept() == set("abcd")
    world.erase("a")
    assert kept() == set("bcd")
    desk._kept.forget()
    assert kept() == set("bcd")


def test_what_previews_need_is_read_before_they_are_asked_if_it_is_not_too_much(tmp_path: Path) -> None:
    world = World(tmp_path)
    for profile in "abcd":
        world.happen(Did(profile, PROFILE, HOUR, "w", {"attributes": {"x": 1}}))
    world.cut()
    desk, small = (Desk(world.archive, world, PARTITIONS, "unused") for _ in range(2))  # type: ignore[arg-type]
    desk._sessions = small._sessions = SESSIONS
    small._kept = Shelf(world.archive, PARTITIONS, most_bytes=4 * ROW_BYTES - 1)
    for partition in range(PARTITIONS):
        assert desk.answer(Preparing("w", "UTC", partition)) == Prepared(True)
        assert small.answer(Preparing("w", "UTC", partition)) == Prepared(False)
    assert not small._kept._columns
    for columns in desk._kept._columns.values():
        assert columns.people.num_rows == columns.cuts[PROFILE, True].num_rows == 2


def test_properties_that_segments_read_are_prepared_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the first question reads no file; where they are too much, they are left to it."""
    world = World(tmp_path)
    for profile in "abcd" * 3:
        world.happen(Did(profile, "b", HOUR, "w", {"x": 1}))
    world.cut()
    desk, small = (Desk(world.archive, world, PARTITIONS, "unused") for _ in range(2))  # type: ignore[arg-type]
    desk._sessions = small._sessions = SESSIONS
    small._kept = Shelf(world.archive, PARTITIONS, most_bytes=20 * ROW_BYTES)
    question = Asked("w", "UTC", None, ANY, {})
    lanes = lanes_read([ANY, node({"type": "event", "name": "a", "measure": {"of": "max", "property": "x"}})])
    assert sorted((lane.name, lane.plain) for lane in lanes) == [("a", True), ("b", False), ("b", True)]
    for partition in range(PARTITIONS):
        for each in (desk, small):
            assert each.answer(Preparing("w", "UTC", partition, lanes)) == Prepared(True)
    cuts = [set(columns.cuts) for columns in desk._kept._columns.values()]
    assert cuts == [{(PROFILE, True), ("b", False)}] * PARTITIONS
    assert not any(columns.lanes for columns in small._kept._columns.values())
    expected = small.answer(question)
    monkeypatch.setattr(Archive, "open", lambda *_, **__: pytest.fail("a file is read"))
    assert desk.answer(question) == expected
    assert isinstance(expected, Found) and expected.nodes[0][1] == 4


def test_while_nobody_asks_nothing_is_kept_of_who_is_erased_and_nothing_at_all_after_a_while(
    tmp_path: Path,
) -> None:
    world = World(tmp_path)
    for profile in "abcd":
        world.happen(Did(profile, "b", HOUR, "w", {"x": 1}))
    world.cut()
    desk = Desk(world.archive, world, PARTITIONS, "unused")  # type: ignore[arg-type]
    desk._sessions = SESSIONS

    def kept() -> set[str]:
        return {id_ for each in desk._kept._columns.values() for id_ in each.people.column("id").to_pylist()}

    question = Asked("w", "UTC", None, ANY, {})
    assert isinstance(desk.answer(question), Found)
    desk.rest()
    assert kept() == set("abcd")
    world.ask_to_erase("a")  # the partition of a and c
    desk.rest()
    assert kept() == set("bd")
    world.gone.clear()
    assert isinstance(desk.answer(question), Found)
    world.erase("b")
    desk.rest()
    assert kept() == set("ac")
    for _ in range(RESTS):
        desk.rest()
    assert kept() == set()


def test_a_partition_in_which_everybody_took_something_back_is_counted(tmp_path: Path) -> None:
    world = World(tmp_path)
    for _ in range(3):
        world.happen(Did("a", "a", HOUR, "w"))
    world.happen(Did("a", RETRACT, HOUR, "w", {"event_id": "e1"}))
    world.cut()
    desk, plain = (Desk(world.archive, world, PARTITIONS, "unused") for _ in range(2))  # type: ignore[arg-type]
    desk._sessions = plain._sessions = SESSIONS
    plain._kept = Shelf(world.archive, PARTITIONS, most_bytes=-1)
    found = desk.answer(question := Asked("w", "UTC", None, node(TWICE), {}))
    assert isinstance(found, Found) and found.profiles == found.nodes[0][1] == 1
    assert found == plain.answer(question)


def test_who_took_something_back_is_nobody_of_another_workspace(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.happen(Did("a", "b", HOUR, "w"))
    world.happen(Did("a", RETRACT, HOUR, "w", {"event_id": "e9"}))
    world.happen(Did("a", "b", HOUR, "v"))  # in the partition, and in the part of the file, of the next one
    world.happen(Did("b", "b", HOUR, "w"))
    world.cut()
    desk = Desk(world.archive, world, PARTITIONS, "unused")  # type: ignore[arg-type]
    desk._sessions = SESSIONS
    found = desk.answer(Asked("w", "UTC", None, node({"type": "event", "name": "b"}), {}))
    assert isinstance(found, Found) and found.profiles == found.nodes[0][1] == 2


def test_what_was_erased_counts_no_more_while_files_still_have_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    for profile in "abab":
        world.happen(Did(profile, "a", HOUR, "w"))
    world.happen(Did("a", "a", HOUR, "w", entered=True))
    world.cut()
    world.happen(Did("a", "a", HOUR, "w"))
    world.ask_to_erase("a")
    desk, plain = (Desk(world.archive, world, PARTITIONS, "unused") for _ in range(2))  # type: ignore[arg-type]
    desk._sessions = plain._sessions = SESSIONS
    plain._kept = Shelf(world.archive, PARTITIONS, most_bytes=-1)
    question = Asked("w", "UTC", None, node(TWICE), {})

    def counted() -> tuple[int, int]:
        found = desk.answer(question)
        assert isinstance(found, Found) and found == plain.answer(question)
        return found.profiles, found.nodes[0][1]

    assert counted() == (1, 1)
    world.happen(Did("a", "a", HOUR, "w"))  # who was let in again begins with nothing
    assert counted() == (2, 1)
    world.cut()
    assert counted() == (2, 1)
    past = world.read(0)
    (moment,) = timeline(world.archive, 0, past, TimelineAsked("w", "a", 10))
    assert moment.id == f"e{world.commits}"
