"""The third evaluator in the race: SQL over all that happened agrees with the oracle about every segment.

Core and oracle live through a history as ever. Whenever both know the profile, SQL is asked about that instant;
and at the end about random instants before, for which it has to leave out what came later.
"""

from __future__ import annotations

from functools import lru_cache
from random import Random

import duckdb
import msgspec
import pyarrow as pa
from msgspec import Struct

from livesegments.core.definition import Node
from livesegments.core.event import PROFILE, Event
from livesegments.core.step import Step
from livesegments.history.sql.query import Question, translate
from livesegments.history.sql.session import prepare
from tests.properties.definitions import written_out
from tests.properties.histories import Command, History
from tests.properties.race import Race

_json = msgspec.json.Encoder()


class Happened:
    """What a history's profile had sent, as the relation `happened`."""

    def __init__(self, zone: str, now_ms: int, past: list[tuple[int, Event]]) -> None:
        self.now_ms = now_ms
        self.connection = _prepared(zone)
        rows = [
            {
                "profile": event.profile, "name": event.name, "t": event.time_ms, "id": event.id,
                "properties": _json.encode(event.properties).decode(), "commit": number, "place": 0,
            }
            for number, event in past
        ]  # fmt: skip
        self.connection.register("happened", pa.Table.from_pylist(rows, schema=_SCHEMA))

    def holds(self, definition: Node, segments: dict[str, Node | int], segment: str) -> bool:
        answer = translate(Question(definition, segments, self.now_ms, segment))
        for statement in answer.before:
            self.connection.execute(statement)
        found = self.connection.execute(f"SELECT n0 FROM ({answer.sql})").fetchall()
        assert len(found) == 1, found
        return bool(found[0][0])


@lru_cache(maxsize=32)
def _prepared(zone: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    prepare(connection, zone)
    return connection


_SCHEMA = pa.schema(
    [
        ("profile", pa.string()), ("name", pa.string()), ("t", pa.int64()), ("id", pa.string()),
        ("properties", pa.string()), ("commit", pa.int64()), ("place", pa.int32()),
    ]
)  # fmt: skip


class Then(Struct):
    """What was so at an instant: the definitions that were served, and the oracle's members."""

    segments: dict[str, Node | int]
    members: set[str]


class SqlRace(Race):
    """Asks SQL after every so many commands, and after the last; then also about instants long past."""

    def __init__(self, history: History, every: int = 7, back: int = 3) -> None:
        super().__init__(history)
        self.every, self.back = every, back
        self.asked = self.asked_back = 0
        self.done = 0
        self.applied: list[int] = []
        """The clock at which each event of `past` was applied."""
        self.then: dict[int, Then] = {}
        """By instant, the newest state there; none where core and oracle don't both know the profile."""

    def step(self, command: Command) -> None:
        super().step(command)
        self.done += 1
        last = self.done == len(self.history.commands)
        if self.profile is None or self.profile.plan != self.plan.revision or self.waits:
            self.then.pop(self.clock_ms, None)
        else:
            now = self.then[self.clock_ms] = Then(self._segments(), set(self.oracle.members()))
            if last or self.done % self.every == 0:
                self._ask(self.clock_ms, now)
        if last:
            self._look_back()

    def _take(self, step: Step) -> None:
        super()._take(step)
        self.applied += [self.clock_ms] * (len(self.past) - len(self.applied))

    def _look_back(self) -> None:
        """Later commands have changed definitions, taken events back and sent late ones meanwhile."""
        instants = [at for at in self.then if at < self.clock_ms]
        for at in Random(len(self.past)).sample(instants, min(self.back, len(instants))):
            self.asked_back += 1
            self._ask(at, self.then[at])

    def _segments(self) -> dict[str, Node | int]:
        return {
            segment.id: (
                segment.definition_version if segment.definition is None else written_out(segment.definition)
            )
            for segment in self.staging.served.values()
        }

    def _ask(self, at_ms: int, then: Then) -> None:
        # a change of a list that names no version means what is there when it is applied
        changes = iter(self.oracle._changes)
        past = [(number, next(changes) if each.name == PROFILE else each) for number, each in self.past]
        known = [each for each, applied in zip(past, self.applied, strict=True) if applied <= at_ms]
        happened = Happened(self.history.zone, at_ms, known)
        for segment, root in then.segments.items():
            if isinstance(root, int):
                continue
            self.asked += 1
            sql, oracle = happened.holds(root, then.segments, segment), segment in then.members
            assert sql == oracle, f"{segment}: SQL says {sql}, the oracle {oracle} at {at_ms}\n{root}"
