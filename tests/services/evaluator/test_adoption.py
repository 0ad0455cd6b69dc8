"""Adoption without I/O: rounds of a walk, what waits for its history, since when a segment is complete."""

from collections.abc import Callable
from typing import Any

import msgspec

from livesegments.core.definition import Node
from livesegments.core.plan import Plan, Segment, compile
from livesegments.evaluator.plans.adoption import Adopted, News
from livesegments.evaluator.plans.remembered import Stored
from livesegments.store import keys
from livesegments.store.commit import Commit

TAG: dict[str, Any] = {"type": "tag", "name": "vip"}
ORDERED: dict[str, Any] = {"type": "event", "name": "order"}
OPENED: dict[str, Any] = {"type": "event", "name": "opened", "window": {"last": "30d"}}


def plan_of(revision: int, **definitions: tuple[int, dict[str, Any] | None]) -> Plan:
    segments = [
        Segment(id_, version, version, None if item is None else msgspec.convert(item, Node))
        for id_, (version, item) in definitions.items()
    ]
    return compile("w", "UTC", segments, revision)


class Kept:
    """A workspace in a partition, and what is stored of it, as its owner would drive both."""

    def __init__(self, profiles: int = 20) -> None:
        self.profiles = profiles
        self.commit = 10
        self.now_ms = 1_000
        self.hashes: dict[str, dict[str, bytes]] = {}
        self.adopted = Adopted(Stored())

    def adopt(self, plan: Plan) -> News | None:
        adopted = self.adopted
        staging = adopted.propose(plan, self.profiles == 0)
        own = compile(
            "w", adopted.zone_of(plan, staging), staging.served.values(), plan.revision,
            staged=staging.staged.values(), staged_timezone=plan.timezone,
        )  # fmt: skip
        news = adopted.adopt(plan, staging, own, self.commit, self.profiles, self.now_ms)
        self.plan = adopted.view(own)
        if news is not None:
            self._write(lambda commit: adopted.write_adopted(commit, "w", news))
        return news

    def walk(self, cursor: int) -> None:
        """One chunk of ten profiles."""
        if self.adopted.walked(cursor, 10):
            self._write(lambda commit: self.adopted.write_walked(commit, "w"))

    def reported(self) -> bool:
        """The walk's progress is written."""
        self._write(lambda commit: self.adopted.write_walked(commit, "w"))
        return True

    def fill(self, after: str, share: float) -> None:
        assert self.adopted.begin_filling() is not None
        report = self.adopted.filled(after, 10, share)
        self._write(lambda commit: self.adopted.write_filled(commit, "w", report))

    def filled(self, plan: Plan, since_ms: int | None = None) -> None:
        filling = self.adopted.begin_filling()
        assert filling is not None
        self.adopted.end_filling(since_ms, self.adopted.facts)
        self._write(lambda commit: self.adopted.write_facts(commit, "w", filling.facts))
        self.adopt(plan)

    def restart(self) -> None:
        """A new owner reads what was stored."""
        facts, served, segments = (
            self.hashes.get(key, {})
            for key in (keys.facts(0, "w"), keys.served(0, "w"), keys.segments(0, "w"))
        )
        self.adopted = Adopted(Stored(facts, served, segments, self.hashes.get(keys.adopted(0), {}).get("w")))

    def _write(self, write: Callable[[Commit], None]) -> None:
        self.commit += 1
        commit = Commit(0, self.commit, 0, None, 0)
        write(commit)
        for command, key, arguments in commit.writes:
            stored = self.hashes.setdefault(key, {})
            texts = [each if isinstance(each, bytes) else str(each).encode() for each in arguments]
            if command == "HSET":
                names = [name.decode() for name in texts[::2]]
                stored.update(zip(names, texts[1::2], strict=True))
            else:
                for name in texts:
                    stored.pop(name.decode(), None)

    @property
    def ready(self) -> set[str]:
        return {id_ for id_, each in self.adopted.progress.items() if each.state == "ready"}

    @property
    def since(self) -> dict[str, int | None]:
        return {id_: each.complete_since_ms for id_, each in self.adopted.progress.items()}


def test_a_change_in_the_middle_of_a_walk_waits_for_the_next_round() -> None:
    kept = Kept()
    kept.adopt(plan_of(1, a=(1, TAG)))
    kept.walk(7)
    kept.adopt(plan_of(2, a=(1, TAG), b=(1, TAG)))
    kept.walk(0)
    assert (kept.ready, kept.adopted.walking) == ({"a"}, True)
    kept.walk(7)
    assert kept.ready == {"a"} and kept.adopted.progress["b"].done == 10
    kept.walk(0)
    assert (kept.ready, kept.adopted.walking) == ({"a", "b"}, False)


def test_changes_that_keep_coming_keep_nothing_from_getting_ready() -> None:
    definitions: dict[str, tuple[int, dict[str, Any]]] = {"a": (1, TAG)}
    kept = Kept()
    for number in range(6):
        kept.adopt(plan_of(number, **definitions))
        kept.walk(7 if kept.adopted.cursor == 0 else 0)
        definitions[f"new{number}"] = (1, TAG)
    assert {"a", "new0", "new1"} <= kept.ready


def test_what_is_edited_or_deleted_in_the_middle_of_its_walk_is_walked_again() -> None:
    kept = Kept()
    kept.adopt(plan_of(1, a=(1, TAG), b=(1, TAG), c=(1, TAG)))
    kept.walk(7)
    kept.adopt(plan_of(2, a=(1, TAG), b=(2, TAG)))
    kept.walk(0)
    assert kept.ready == {"a"} and "c" in kept.adopted.progress
    kept.walk(0)
    assert kept.ready == {"a", "b"} == kept.adopted.progress.keys()


def test_where_nobody_is_stored_a_change_is_ready_at_once() -> None:
    kept = Kept(profiles=0)
    kept.adopt(plan_of(1, a=(1, TAG), b=(1, ORDERED)))
    assert (kept.ready, kept.adopted.walking) == ({"a", "b"}, False)
    kept.adopt(plan_of(2, b=(2, TAG)))
    assert (kept.ready, kept.adopted.walking) == ({"b"}, False)
    assert kept.adopted.completed == kept.adopted.revision
    kept.restart()
    assert kept.ready == {"b"}
    assert kept.adopt(plan_of(2, b=(2, TAG))) is None and not kept.adopted.walking


def test_a_walk_over_profiles_that_keep_coming_writes_its_progress_seldom() -> None:
    kept = Kept(profiles=1)
    kept.adopt(plan_of(1, a=(1, TAG)))
    assert sum(kept.adopted.walked(cursor, 10) and kept.reported() for cursor in range(1, 1_000)) < 150


def test_a_walk_that_a_crash_cut_short_is_taken_up() -> None:
    kept, plan = Kept(), plan_of(1, a=(1, TAG))
    kept.adopt(plan)
    kept.walk(7)
    kept.restart()
    assert kept.adopt(plan) is None and kept.adopted.walking
    kept.walk(0)
    assert kept.ready == {"a"}


def test_a_new_condition_waits_for_its_history_and_a_shared_one_does_not() -> None:
    kept = Kept(profiles=0)
    kept.adopt(plan_of(1, first=(1, ORDERED)))
    kept.profiles = 20
    plan = plan_of(2, first=(1, ORDERED), shared=(1, ORDERED), fresh=(1, OPENED), tagged=(1, TAG))
    kept.adopt(plan)
    assert kept.plan.positions.keys() == {"first", "shared", "tagged"}
    assert list(kept.adopted.wanting().values()) == [11]
    kept.walk(0)
    assert kept.ready == {"first", "shared", "tagged"}
    kept.fill("m", 0.5)
    assert kept.adopted.progress["fresh"].done == 10
    kept.filled(plan)
    assert "fresh" in kept.plan.positions and kept.plan.cause_since(kept.plan.revision - 1) == "backfill"
    kept.walk(0)
    assert kept.ready == plan.segments.keys() and not kept.adopted.wanting()


def test_a_filling_that_a_crash_cut_short_goes_on_where_it_was() -> None:
    kept, plan = Kept(), plan_of(1, fresh=(1, OPENED))
    kept.adopt(plan)
    kept.fill("m", 0.5)
    kept.restart()
    kept.adopt(plan)
    filling = kept.adopted.begin_filling()
    assert filling is not None and filling.after == "m"
    assert kept.plan.positions == {}
    kept.filled(plan)
    assert kept.plan.positions.keys() == {"fresh"}


def test_a_condition_that_went_and_came_back_amid_a_filling_gets_all_of_its_history() -> None:
    """Two segments are made; one is edited and edited back while their history is given to the profiles."""
    kept = Kept()
    seen: dict[str, Any] = {"type": "event", "name": "seen", "window": {"last": "30d"}}
    kept.adopt(plan_of(1, a=(1, TAG)))
    kept.adopt(plan_of(2, a=(1, TAG), b=(1, OPENED), c=(1, seen)))
    kept.fill("m", 0.5)
    whole = kept.adopted.begin_filling()
    assert whole is not None and len(whole.facts) == 2
    kept.adopt(plan_of(3, a=(1, TAG), b=(2, ORDERED), c=(1, seen)))
    kept.adopt(plan_of(4, a=(1, TAG), b=(3, OPENED), c=(1, seen)))
    going = kept.adopted.begin_filling()
    assert going is not None and going.after == "m"
    assert len(going.facts) == 1 and set(going.facts) < set(whole.facts)
    kept.filled(plan_of(4, a=(1, TAG), b=(3, OPENED), c=(1, seen)))
    again = kept.adopted.begin_filling()
    assert again is not None and again.after == ""
    assert set(again.facts) == set(whole.facts) - set(going.facts)


def test_an_edit_serves_its_old_version_after_a_crash_too() -> None:
    kept = Kept(profiles=0)
    kept.adopt(plan_of(1, a=(1, ORDERED)))
    kept.profiles = 20
    for _ in range(2):
        kept.adopt(plan_of(2, a=(2, OPENED)))
        assert (
            kept.plan.segments["a"].definition_version == 1 and kept.adopted.progress["a"].state == "building"
        )
        kept.restart()
    kept.adopt(plan_of(3, a=(3, ORDERED)))
    assert kept.plan.segments["a"].definition_version == 3, "a second edit takes the place of the first"
    assert kept.adopted.begin_filling() is None


def test_it_is_noted_when_which_version_was_served() -> None:
    kept = Kept(profiles=0)
    kept.adopt(plan_of(1, a=(1, ORDERED)))
    kept.profiles, kept.now_ms = 20, 2_000
    edited = plan_of(2, a=(2, OPENED))
    kept.adopt(edited)
    assert [(each.version, each.since_ms) for each in kept.adopted.served["a"].switches] == [(1, 1_000)]
    kept.restart()
    kept.adopt(edited)
    kept.now_ms = 3_000
    kept.filled(edited)
    kept.now_ms = 4_000
    kept.adopt(compile("w", "Asia/Tokyo", edited.segments.values(), 3))
    kept.restart()
    switches = [(each.version, each.since_ms) for each in kept.adopted.served["a"].switches]
    assert switches == [(2, 3_000), (1, 1_000)], "neither a restart nor another time zone is a switch"
    for number in range(3, 250):
        kept.now_ms += 1
        kept.adopt(plan_of(number + 1, a=(number, OPENED if number % 2 else ORDERED)))
        if kept.adopted.filling is not None or kept.adopted.wanting():
            kept.filled(plan_of(number + 1, a=(number, OPENED if number % 2 else ORDERED)))
    assert [each.version for each in kept.adopted.served["a"].switches] == list(range(249, 149, -1))


def test_it_is_noted_from_which_commit_on_a_list_was_served() -> None:
    kept = Kept(profiles=0)

    def served(commit: int) -> dict[str, int]:
        return kept.adopted.lists().at(commit, ["a", "b"])

    kept.adopt(plan_of(1, a=(1, None), b=(1, TAG)))
    kept.adopt(plan_of(2, a=(2, None), b=(2, None)))
    kept.restart()
    assert [served(commit) for commit in (10, 11, 12)] == [{}, {"a": 1}, {"a": 2, "b": 2}]
    assert kept.adopted.lists().alone == {}
    kept.adopt(plan_of(3, b=(2, None)))
    kept.adopt(plan_of(4, a=(3, None), b=(2, None), c=(1, None)))
    assert [served(commit) for commit in (12, 14)] == [{"b": 2}, {"a": 3, "b": 2}], "a was another one before"
    assert kept.adopted.lists().alone == {"c": 1}


def test_a_deletion_while_it_waits_leaves_nothing_behind() -> None:
    kept = Kept()
    kept.adopt(plan_of(1, a=(1, OPENED)))
    kept.fill("m", 0.5)
    kept.adopt(plan_of(2))
    kept.walk(0)
    assert kept.adopted.filling is None and not kept.adopted.facts and not kept.adopted.progress
    left = {key: fields for key, fields in kept.hashes.items() if fields and key != keys.adopted(0)}
    assert left == {}


def test_another_time_zone_is_served_once_all_has_its_history() -> None:
    kept = Kept(profiles=0)
    kept.adopt(plan_of(1, a=(1, ORDERED), t=(1, TAG)))
    kept.walk(0)
    kept.profiles = 20
    here = plan_of(2, a=(1, ORDERED), t=(1, TAG))
    moved = compile("w", "Asia/Tokyo", here.segments.values(), 2)
    kept.adopt(moved)
    assert kept.plan.timezone == "UTC" and kept.plan.positions.keys() == {"a", "t"}
    kept.restart()
    kept.adopt(moved)
    assert kept.plan.timezone == "UTC"
    kept.filled(moved)
    assert kept.plan.timezone == "Asia/Tokyo" and kept.plan.newer_than(kept.plan.revision - 1) == {0, 1}


def test_a_segment_is_complete_since_those_are_that_it_refers_to() -> None:
    kept = Kept()
    through = {"type": "not", "of": {"type": "segment", "id": "a"}}
    beyond = {"type": "segment", "id": "b"}
    kept.adopt(plan_of(1, a=(1, TAG), b=(1, through), c=(1, beyond)))
    assert kept.since == {"a": None, "b": None, "c": None}
    plan = plan_of(2, a=(2, ORDERED), b=(1, through), c=(1, beyond))
    kept.adopt(plan)
    kept.filled(plan, since_ms=200)
    assert kept.since == {"a": 200, "b": 200, "c": 200}
    kept.adopt(plan_of(3, a=(3, TAG), b=(1, through), c=(1, beyond)))
    assert kept.since == {"a": None, "b": None, "c": None}


def test_an_edit_writes_of_ten_thousand_segments_only_itself() -> None:
    many: dict[str, tuple[int, dict[str, Any]]] = {f"s{number}": (1, TAG) for number in range(10_000)}
    kept = Kept()
    kept.adopt(plan_of(1, **many))
    kept.walk(0)
    news = kept.adopt(plan_of(2, **many | {"s1": (2, ORDERED)}))
    assert news is not None and set(news.segments) == {"s1"} and not news.served
    assert len(news.facts) == 1 and not news.facts_gone
