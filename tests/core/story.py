"""Small stories that the core and the oracle live through together; they must agree on every answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from livesegments.core.event import PROFILE, RETRACT
from livesegments.core.explain import valid_until
from tests.properties.catalogue import Delete, Put
from tests.properties.histories import Fill, Forget, Happen, History, Look, Recount, Tick, When
from tests.properties.race import Race


class Story:
    """Instants are ISO 8601. `start` is the partition's clock at the beginning."""

    def __init__(self, start: str, zone: str = "UTC", **definitions: Any) -> None:
        self._race = Race(History(zone, start, 7 * 86_400_000, 1_000, []))
        self._count = 0
        for segment, definition in definitions.items():
            self.define(segment, definition)

    def define(
        self, segment: str, definition: dict[str, Any] | None, lazily: bool = False, filled: bool = True
    ) -> None:
        """`lazily`: the profile is brought up to the change when it is next touched. `filled`: it has its
        history."""
        self._race.step(Put(segment, definition, lazily))
        if filled:
            self.fill()

    def fill(self) -> None:
        """Gives new facts the events that came before them."""
        self._race.step(Fill())

    def delete(self, segment: str, lazily: bool = False) -> None:
        self._race.step(Delete(segment, lazily))

    def happens(self, name: str, at: str, id: str = "", **properties: Any) -> None:
        self._count += 1
        when = When(_ms(at) - self._race.clock_ms)
        self._race.step(Happen(id or f"e{self._count}", name, when, properties))
        self._settle()

    def takes_back(self, event_id: str, at: str, id: str = "", at_once: bool = True) -> None:
        """`at_once`: the event counts no more when this returns; else it counts until `recount`."""
        self.happens(RETRACT, at, id, event_id=event_id)
        if at_once:
            self.recount()

    def recount(self) -> None:
        """Carries out the retractions that wait."""
        self._race.step(Recount())
        self._settle()

    @property
    def causes(self) -> list[tuple[str, str | None]]:
        """(cause, event id) of the transitions since `told` was last asked."""
        return [(each.cause, each.event_id) for each in self._race.told]

    def changes(self, at: str, **parts: Any) -> None:
        self.happens(PROFILE, at, **parts)

    def clock(self, to: str) -> None:
        self._race.step(Tick(When(_ms(to) - self._race.clock_ms)))
        self._settle()

    @property
    def members(self) -> set[str]:
        """The segments that the profile is a member of."""
        return self._race.oracle.members()

    def told(self) -> list[tuple[str, str, str]]:
        """(segment, kind, instant) of the transitions since it was last asked."""
        told, self._race.told = self._race.told, []
        return [(each.segment, each.kind, _iso(each.at_ms)) for each in told]

    def valid_until(self, segment: str) -> str | None:
        race = self._race
        assert race.profile is not None
        until = valid_until(race.plan, "p", race.profile, segment, race.clock_ms)
        return None if until is None else _iso(until)

    def _settle(self) -> None:
        self._race.step(Forget())
        self._race.step(Look())


def _ms(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000)


def _iso(t_ms: int) -> str:
    """Without what is zero at its end: 2024-01-30T11:00."""
    text = datetime.fromtimestamp(t_ms / 1_000, UTC).isoformat(timespec="milliseconds")[:23]
    return text.removesuffix(".000").removesuffix(":00").removesuffix("T00:00")


def attribute(name: str, op: str, value: Any = None, **more: Any) -> dict[str, Any]:
    return {"type": "attribute", "name": name, "op": op, "value": value, **more}


def event(name: str, last: str | None = None, **more: Any) -> dict[str, Any]:
    return {"type": "event", "name": name, **({"window": {"last": last}} if last else {}), **more}
