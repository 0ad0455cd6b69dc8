"""Questions about history while files are merged, or written anew without old events, at whatever step of them.

The answer is the one from before or the one from after, never a mixture: a question whose files went begins
again with those that count now.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import pytest

from livesegments.core.definition import Node
from livesegments.core.event import RETRACT, Event
from livesegments.history import schema
from livesegments.history.archive import Archive
from livesegments.history.asked import Desk
from livesegments.history.asking import Asked, Failed, Found, Was, WasFound
from livesegments.history.ranges import Range
from livesegments.history.retaining import retain
from livesegments.history.sql.session import Sessions
from livesegments.store.history import Snapshot
from livesegments.store.tail import Applied
from tests.effort import effort

DAY = 86_400_000
CUT, NOW = 20 * DAY, 40 * DAY
FILES = 4
SESSIONS = Sessions({"threads": 1})
"""To make a database that knows the language takes longer than all questions here."""
TWICE = msgspec.json.decode(
    '{"type":"all","of":[{"type":"event","name":"order","value":2},'
    '{"type":"event","name":"order","measure":{"of":"sum","property":"total"},"value":3},'
    '{"type":"not","of":{"type":"sequence","within":"1h","steps":[{"name":"cart"},{"name":"order","absent":true}]}}]}',
    type=Node,
)
Change: TypeAlias = Callable[[Archive, list[Range]], list[Range]]


def events(file: int) -> list[Event]:
    """Some old, some new; one is taken back."""
    at = (file * 9 + 5) * DAY
    found = [Event(f"{p}-{file}", "w", p, "order", at, {"total": 2}) for p in ("ada", "bob", "eve")]
    found += [Event(f"cart-{file}", "w", "eve", "cart", at + 1, {})]
    if file == FILES - 1:
        found.append(Event("back", "w", "bob", RETRACT, at + 2, {"event_id": f"bob-{file}"}))
    return found


def filled(folder: Path) -> tuple[Archive, list[Range]]:
    archive, register = Archive(str(folder)), []
    for file in range(FILES):
        of = Range(file + 1, file + 1, "aaaaaaaa")
        rows = [Applied(each, each.time_ms, of.first, place) for place, each in enumerate(events(file))]
        archive.write(0, of, schema.events_table(rows), schema.transitions_table(()))
        register.append(of)
    return archive, register


def merged(archive: Archive, register: list[Range]) -> list[Range]:
    whole = Range(1, FILES, "bbbbbbbb")
    archive.merge(0, register, whole)
    return [whole]


def without_old(archive: Archive, register: list[Range]) -> list[Range]:
    found = retain(archive, 0, register, {"w": CUT}, "bbbbb01")
    new = {each.old: each.new for each in found.pruned}
    return [new.get(each, each) for each in register]


class World:
    """One partition. `change` is made, and the files that it replaces go at once, before step `at`."""

    def __init__(self, folder: Path, change: Change, at: int | None) -> None:
        self.archive, self.register = filled(folder)
        self.change, self.at, self.steps = change, at, 0

    def step(self) -> None:
        if self.steps == self.at:
            new = self.change(self.archive, self.register)
            gone = [each for each in self.register if each not in new]
            self.register = new
            self.archive.remove(0, gone)
        self.steps += 1

    def read(self, partition: int, counted: Any = None) -> Snapshot:
        self.step()
        return Snapshot([each.name for each in self.register], [], NOW)


class Stepping:
    """A connection, each of whose statements is a step."""

    def __init__(self, world: World, connection: Any) -> None:
        self._world, self._connection = world, connection

    def execute(self, *given: Any) -> Any:
        self._world.step()
        return self._connection.execute(*given)

    def __enter__(self) -> Stepping:
        return self

    def __exit__(self, *error: object) -> None:
        self._connection.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class SteppingSessions:
    def __init__(self, world: World) -> None:
        self._world = world

    def open(self, zone: str) -> Stepping:
        return Stepping(self._world, SESSIONS.open(zone))


def asked(folder: Path, change: Change, at: int | None, question: Asked | Was) -> tuple[Any, int]:
    """What is answered, and how many steps that took."""
    world = World(folder / str(at), change, at)
    desk = Desk(world.archive, world, 1, str(folder / "spill"))  # type: ignore[arg-type]
    desk._sessions = SteppingSessions(world)  # type: ignore[assignment]
    answer = desk.answer(question)
    assert not isinstance(answer, Failed), answer
    return answer, world.steps


QUESTIONS: dict[str, Asked | Was] = {
    "preview": Asked("w", "UTC", None, TWICE, {}, sample=5, weighed=("order",)),
    "plan": Asked("w", "UTC", None, TWICE, {}, before=TWICE, sample=5),
    "as of": Asked("w", "UTC", 35 * DAY, TWICE, {}, limit=10),
    "was": Was("w", "UTC", "ada", "s", 35 * DAY, TWICE, {}, events=9),
}


@pytest.mark.parametrize("change", [merged, without_old])
@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_is_of_one_moment(tmp_path: Path, question: str, change: Change) -> None:
    before, steps = asked(tmp_path, change, None, QUESTIONS[question])
    after, _ = asked(tmp_path, change, 0, QUESTIONS[question])
    assert steps > 3
    assert (before == after) == (change is merged)
    for at in range(1, steps, effort(3, 1)):
        found, _ = asked(tmp_path, change, at, QUESTIONS[question])
        assert found in (before, after), f"changed before step {at} of {steps}"


def test_what_is_right_is_known(tmp_path: Path) -> None:
    """Ada and bob have no cart; of bob's four orders one was taken back."""
    found, _ = asked(tmp_path, merged, None, QUESTIONS["preview"])
    assert isinstance(found, Found)
    assert found.nodes == [("", 2), ("/of/0", 3), ("/of/1", 3), ("/of/2", 2), ("/of/2/of", 1)]
    was, _ = asked(tmp_path, merged, None, QUESTIONS["was"])
    assert isinstance(was, WasFound) and [len(each.events) for each in was.nodes][1] == 4
