"""The expected result: every record once, in order, on dictionaries; no commits, no crashes, no cache."""

from __future__ import annotations

from collections.abc import Iterable

from livesegments.core.event import Event, Transition
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile
from livesegments.core.step import on_clock, on_event


class Reference:
    """One partition in mode `log`, under plans that do not change."""

    def __init__(self, plans: dict[str, Plan]) -> None:
        self.plans = plans
        self.profiles: dict[tuple[str, str], Profile] = {}
        self.transitions: list[Transition] = []
        self.clock_ms = -(2**62)

    def apply(self, events: Iterable[Event]) -> None:
        for event in events:
            self.move(max(self.clock_ms, event.time_ms))
            key = event.workspace, event.profile
            step = on_event(self.plans[event.workspace], self.profiles.get(key), event, self.clock_ms)
            self.profiles[key] = step.profile
            self.transitions += step.transitions

    def move(self, to_ms: int) -> None:
        while due := min(
            ((wake, key) for key, profile in self.profiles.items() if (wake := profile.wake_at) is not None),
            default=None,
        ):
            wake_ms, key = due
            if wake_ms > to_ms:
                break
            step = on_clock(self.plans[key[0]], key[1], self.profiles[key], wake_ms)
            self.transitions += step.transitions
        self.clock_ms = max(self.clock_ms, to_ms)

    def members(self) -> dict[tuple[str, str], set[str]]:
        found: dict[tuple[str, str], set[str]] = {}
        for (workspace, id_), profile in self.profiles.items():
            for segment, membership in profile.memberships.items():
                if membership.entered_ms is not None:
                    found.setdefault((workspace, segment), set()).add(id_)
        return found
