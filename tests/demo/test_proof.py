"""The SQL by hand agrees with the incremental core and with the slow oracle, member by member."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zlib import crc32

import msgspec
import pytest

from livesegments.cli.demo import cdnow, shop
from livesegments.cli.demo.asked import Explained
from livesegments.cli.demo.heard import Announced, Heard
from livesegments.cli.demo.late import Late
from livesegments.cli.demo.log import Happening, Log
from livesegments.cli.demo.proof import Analyst, Reason, compare
from livesegments.core import plan, value_list
from livesegments.core.computed import asking
from livesegments.core.definition import Computed, Node
from livesegments.core.event import PROFILE, Event
from livesegments.core.oracle.oracle import Oracle
from livesegments.core.profile import Profile
from livesegments.core.step import Step, on_clock, on_event
from livesegments.core.value import Values
from tests.demo.conftest import RawFile
from tests.effort import effort

LOGS = pytest.mark.parametrize("log", [cdnow.LOG, shop.LOG], ids=lambda log: log.id)
FEWER = pytest.mark.parametrize("log", effort([cdnow.LOG], [cdnow.LOG, shop.LOG]), ids=lambda log: log.id)
ONE_IN = effort({"cdnow": 60, "shop": 2}, {"cdnow": 20, "shop": 1})
SLOW_ONE_IN = {"cdnow": 400, "shop": 40}
"""One profile in this many is looked at."""
LATER = datetime.fromisoformat("2025-01-01T00:00:00+00:00")
"""Up to this instant nothing happens but that the clock goes on."""


def sampled(log: Log, profile: str) -> bool:
    return crc32(profile.encode()) % ONE_IN[log.id] == 0


def event_of(log: Log, happening: Happening) -> Event:
    body = msgspec.json.decode(happening.body)
    if happening.kind == "own":
        return Event(body["id"], log.id, body["profile"], body["name"], happening.time_ms, body["properties"])
    match body["type"]:
        case "identify":
            name, properties = PROFILE, {"attributes": body["traits"]}
            if tags := body["traits"].pop("tags", None):
                properties["tags_add"] = tags
        case "page":
            name, properties = "page", body["properties"] | {"name": body["name"]}
        case _:
            name, properties = body["event"], body["properties"]
    return Event(body["messageId"], log.id, body["userId"], name, happening.time_ms, properties)


def definition(log: Log, id: str) -> Node:
    """In the form in which a store keeps it; here a list's id is its digest."""
    node: Node = msgspec.convert(log.definition(id)["definition"], Node)
    measures = {
        id: msgspec.convert({"type": "computed", **document}, Computed)
        for id, document in log.computed.items()
    }
    return value_list.referring(asking(node, measures), {id: id for id in log.value_lists})


def contents(log: Log) -> value_list.Contents:
    return lambda id, _: Values(id, log.value_lists[id])


class Core:
    """Every sampled profile's history through the incremental core, profile by profile."""

    def __init__(self, log: Log, raw: Path) -> None:
        segments = [plan.Segment(id, 1, 1, definition(log, id)) for id in log.definitions]
        self.plan = plan.compile(log.id, log.timezone, segments, 1, contents=contents(log))
        self.heard = Heard()
        self.profiles: dict[str, Profile] = {}
        self.waiting = [event_of(log, item) for item in log.read(raw) if sampled(log, item.profile)][::-1]

    def up_to(self, instant_ms: int) -> None:
        while self.waiting and self.waiting[-1].time_ms <= instant_ms:
            event = self.waiting.pop()
            self.wake(event.profile, event.time_ms)
            self.take(
                event.profile,
                on_event(self.plan, self.profiles.get(event.profile), event, event.time_ms),
            )
        for profile in list(self.profiles):
            self.wake(profile, instant_ms)

    def wake(self, id: str, up_to_ms: int) -> None:
        while (
            (profile := self.profiles.get(id)) and profile.wake_at is not None and profile.wake_at <= up_to_ms
        ):
            self.take(id, on_clock(self.plan, id, profile, profile.wake_at))

    def take(self, id: str, step: Step) -> None:
        self.profiles[id] = step.profile
        for told in step.transitions:
            self.heard.hear(
                Announced(told.workspace, told.segment, told.profile, told.kind, told.sequence, told.cause)
            )


def checked(log: Log, raw: Path) -> Iterator[tuple[str, int]]:
    """Compares at every checkpoint and yields each segment's size there."""
    core, analyst = Core(log, raw), Analyst(log, raw)
    for instant in (*log.checkpoints, LATER):
        core.up_to(int(instant.timestamp() * 1000))
        for segment in log.definitions:
            members = core.heard.members[log.id, segment]
            recomputed = {profile for profile in analyst.members(segment, instant) if sampled(log, profile)}
            assert compare(segment, members, members, recomputed).equal, (segment, instant)
            yield segment, len(members)
    assert core.heard.gaps == 0


@FEWER
def test_the_slow_oracle_and_sql_agree_on_a_sample(log: Log, generated: RawFile) -> None:
    raw = generated(log)
    histories: dict[str, list[Event]] = {}
    for item in log.read(raw):
        if crc32(item.profile.encode()) % SLOW_ONE_IN[log.id] == 0:
            histories.setdefault(item.profile, []).append(event_of(log, item))
    definitions = {id: value_list.spelled(definition(log, id), contents(log)) for id in log.definitions}
    oracles = {profile: Oracle(log.timezone, profile=profile) for profile in histories}
    for oracle in oracles.values():
        oracle.define(definitions)
    analyst, somebody = Analyst(log, raw), set()
    for instant in (*log.checkpoints, LATER):
        instant_ms = int(instant.timestamp() * 1000)
        for profile, oracle in oracles.items():
            history = histories[profile]
            while history and history[0].time_ms <= instant_ms:
                event = history.pop(0)
                oracle.apply(event, event.time_ms)
            oracle.advance(instant_ms)
        for segment in log.definitions:
            members = {profile for profile, oracle in oracles.items() if segment in oracle.members()}
            assert members == analyst.members(segment, instant) & oracles.keys(), (segment, instant)
            somebody |= {segment} if members else set()
    assert len(oracles) > 10
    assert len(somebody) > len(log.segments) / 2


@LOGS
def test_core_and_sql_agree_on_the_real_log(log: Log, real: RawFile) -> None:
    found = list(checked(log, real(log)))
    assert {segment for segment, size in found if size} == set(log.definitions), (
        "a segment that nobody is ever in"
    )


@FEWER
def test_core_and_sql_agree_on_the_generated_log(log: Log, generated: RawFile) -> None:
    found = list(checked(log, generated(log)))
    assert {segment for segment, size in found if size} == set(log.definitions), (
        "a segment that nobody is ever in"
    )


def test_a_comparison_names_whoever_either_side_has_wrong() -> None:
    assert compare("s", {"a", "b"}, {"a", "b"}, {"a", "b"}).equal
    found = compare("s", {"a", "b"}, {"a", "d"}, {"a", "c", "b"})
    assert (found.missing, found.extra) == (("b", "c"), ("d",))
    assert not found.equal


def test_a_late_segment_is_right_only_if_it_gains_members_by_its_history_and_loses_none() -> None:
    equal = compare("s", {"a"}, {"a"}, {"a"})
    right = Late("created", 0.5, 1, 0, ("backfill",), equal)
    assert right.faults == []
    wrong = {
        "comparison": compare("s", {"a"}, set(), {"a"}),
        "entered": 0,
        "exited": 3,
        "causes": ("backfill", "definition"),
        "took_s": 21.0,
    }
    for name, value in wrong.items():
        assert len(msgspec.structs.replace(right, **{name: value}).faults) == 1, name


SAID = {
    "in": True,
    "judged": True,
    "flips_at": "2024-07-01T10:00:00Z",
    "why": {
        "pointer": "",
        "holds": True,
        "evidence": None,
        "of": [{"pointer": "/of/0", "holds": True, "evidence": {"value": 6, "or_more": False}, "of": []}],
    },
}


def test_an_explanation_is_right_only_if_amounts_and_instant_are_as_recomputed() -> None:
    at = datetime.fromisoformat("2024-07-01T10:00:00+00:00")
    assert Explained(SAID, Reason("ada", at, {"/of/0": 6.0})).faults == []
    assert len(Explained(SAID, Reason("ada", at, {"/of/0": 7.0})).faults) == 1
    assert len(Explained(SAID, Reason("ada", LATER, {"/of/0": 6.0})).faults) == 1
    assert len(Explained(SAID | {"in": False}, Reason("ada", at, {"/of/0": 6.0})).faults) == 1
    assert len(Explained(None, None).faults) == 1


@LOGS
def test_the_analyst_has_a_member_to_explain_whom_the_clock_takes_out(log: Log, generated: RawFile) -> None:
    analyst, end = Analyst(log, generated(log)), log.checkpoints[-1]
    reason = analyst.explained(end)
    assert reason is not None
    just_before = reason.flips_at - timedelta(milliseconds=1)
    assert reason.profile in analyst.members(log.explained, end)
    assert reason.profile in analyst.members(log.explained, just_before)
    assert reason.profile not in analyst.members(log.explained, reason.flips_at)


def test_what_is_heard_passes_over_repeats_and_counts_gaps() -> None:
    heard = Heard()
    for kind, sequence in (("entered", 1), ("entered", 1), ("exited", 2), ("entered", 5), ("exited", 2)):
        heard.hear(
            msgspec.convert(
                {
                    "workspace": "w",
                    "segment": "s",
                    "profile": "p",
                    "kind": kind,
                    "sequence": sequence,
                    "cause": "event",
                },
                Announced,
            )
        )
    assert heard.members["w", "s"] == {"p"}
    assert (heard.entered["w", "s"], heard.exited["w", "s"], heard.gaps) == (2, 1, 2)
