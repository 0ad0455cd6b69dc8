"""The third evaluator in the race: SQL over all that happened agrees with the oracle about every segment.

Core and oracle live through a history as ever. Whenever both know the profile, SQL is asked about that instant.
"""

from __future__ import annotations

import duckdb
import msgspec
import pyarrow as pa

from livesegments.core.definition import Node
from livesegments.core.event import PROFILE, Event
from livesegments.history.sql.query import Question, translate
from livesegments.history.sql.session import prepare
from tests.properties.histories import Command, History
from tests.properties.race import Race

_json = msgspec.json.Encoder()


class Happened:
    """What a history's profile had sent, as the relation `happened`."""

    def __init__(self, zone: str, now_ms: int, past: list[tuple[int, Event]]) -> None:
        self.connection = duckdb.connect(config={"threads": 1})
        self.now_ms = now_ms
        prepare(self.connection, zone, now_ms)
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
        found = self.connection.execute(f"SELECT n0 FROM ({answer.sql})").fetchall()
        assert len(found) == 1, found
        return bool(found[0][0])


_SCHEMA = pa.schema(
    [
        ("profile", pa.string()), ("name", pa.string()), ("t", pa.int64()), ("id", pa.string()),
        ("properties", pa.string()), ("commit", pa.int64()), ("place", pa.int32()),
    ]
)  # fmt: skip


class SqlRace(Race):
    """Asks SQL after every so many commands, and after the last."""

    def __init__(self, history: History, every: int = 7) -> None:
        super().__init__(history)
        self.every = every
        self.asked = 0
        self.done = 0

    def step(self, command: Command) -> None:
        super().step(command)
        self.done += 1
        last = self.done == len(self.history.commands)
        if self.profile is None or self.profile.plan != self.plan.revision or self.waits:
            return
        if last or self.done % self.every == 0:
            self._ask()

    def _ask(self) -> None:
        segments: dict[str, Node | int] = {
            segment.id: segment.definition_version if segment.definition is None else segment.definition
            for segment in self.staging.served.values()
        }
        # a change of a list that names no version means what is there when it is applied
        changes = iter(self.oracle._changes)
        past = [(number, next(changes) if each.name == PROFILE else each) for number, each in self.past]
        happened = Happened(self.history.zone, self.clock_ms, past)
        with happened.connection:
            for segment, root in segments.items():
                if isinstance(root, int):
                    continue
                self.asked += 1
                sql, oracle = happened.holds(root, segments, segment), segment in self.oracle.members()
                assert sql == oracle, f"{segment}: SQL says {sql}, the oracle {oracle}\n{root}"
