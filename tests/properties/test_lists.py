"""Static segments that come, go and are made anew, and changes of their lists that name a version or none: history
gives what is stored, of every list of which it is known which one was meant."""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from tests.properties.catalogue import Delete, Put
from tests.properties.definitions import STATIC
from tests.properties.histories import DAY, STARTS, Command, Forget, Happen, History, Look, When
from tests.properties.race import Race

STEPS, AUDITED, RESOLVED = 30, 100, 20


@pytest.mark.parametrize("part", range(2))
def test_history_gives_the_places_on_lists_that_are_stored(part: int) -> None:
    audited = resolved = 0
    for seed in range(part * 100, part * 100 + 100):
        print(f"seed {seed}")
        race = Listing(random.Random(seed))
        race.run()
        audited += race.audited
        resolved += race.resolved
    assert audited > AUDITED and resolved > RESOLVED, (audited, resolved)


class Listing(Race):
    """`resolved`: so many changes without a version were made when another version was there than is now."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        commands = [self._command(number) for number in range(STEPS)]
        super().__init__(History("UTC", STARTS[0], 30 * DAY, 1_000, commands))
        self.resolved = 0

    def step(self, command: Command) -> None:
        """What can't be is left out; a list may be made anew in one change, too."""
        segment = self.segments.get(getattr(command, "segment", ""))
        if isinstance(command, Delete) and segment is None:
            return
        if isinstance(command, Put) and segment is not None:
            self.versions[segment.id] += 1
            self.definitions += 1
            anew = replace(segment, definition_version=self.versions[segment.id], revision=self.definitions)
            self.segments[segment.id] = anew
            self._define(command.lazily)
            return
        super().step(command)
        if isinstance(command, Put) or self.profile is None:
            return
        self.resolved += sum(
            len(self.lists.get(each, ())) > 1 and register.version < self.lists[each][0][0]
            for each, register in self.profile.lists.items()
        )

    def _command(self, number: int) -> Command:
        draw, segment = self._draw, self._draw.choice(STATIC)
        kind = draw.choice(("put", "delete", "look", "forget", *("happen",) * 6))
        match kind:
            case "put":
                return Put(segment, None, draw.random() < 0.5)
            case "delete":
                return Delete(segment, draw.random() < 0.5)
            case "look":
                return Look()
            case "forget":
                return Forget()
        change = {draw.choice(("lists_add", "lists_add", "lists_remove")): [segment]}
        version = draw.choice((0, 0, 0, 1, 2, 3))
        properties = {**change, "lists_versions": {segment: version}} if version else change
        when = When(draw.choice((1_000, 0, -1_000, -DAY)))
        return Happen(f"e{number}", "$profile", when, properties)
