"""What a page has heard and not shown yet: bounded, whatever comes, and held back while it is paused.

Example: 5,000 transitions come within a second. The newest 50 are shown; that 4,950 were passed over is said.
"""

from __future__ import annotations

from collections import deque
from zoneinfo import ZoneInfo

from msgspec import Struct

from livesegments.client import Transition
from livesegments.console import formats
from livesegments.console.pages.profiles.moments import cause

AT_ONCE = 50
"""Rows that come onto the page at a time."""
MOST = 200
"""Rows on the page."""


class Row(Struct, frozen=True):
    when: str
    is_entry: bool
    segment: str
    profile: str
    cause: str


class Heard:
    """`count`: of all that was heard; `passed_over`: of those that were never shown."""

    def __init__(self) -> None:
        self.is_paused = False
        self.count = 0
        self.passed_over = 0
        self._fresh = deque[Transition](maxlen=AT_ONCE)
        self._shown = 0

    def add(self, transition: Transition) -> None:
        self.count += 1
        if len(self._fresh) == AT_ONCE:
            self.passed_over += 1
        self._fresh.append(transition)

    @property
    def held_back(self) -> int:
        """How many wait for the end of the pause."""
        return len(self._fresh) if self.is_paused else 0

    def take(self) -> list[Transition]:
        """What comes onto the page now, the oldest first; nothing while it is paused."""
        if self.is_paused:
            return []
        taken = list(self._fresh)
        self._fresh.clear()
        return taken

    def says(self) -> str:
        """The state in a sentence."""
        if not self.count:
            return "Listening. Nobody has entered or left since you opened this page."
        said = f"{formats.count(self.count, 'transition')} since you opened this page"
        if self.passed_over:
            said += f", {formats.number(self.passed_over)} of them came too fast to be shown"
        if self.is_paused:
            return f"Paused. {said}; {formats.number(self.held_back)} wait."
        return f"{said}."


def row(transition: Transition, zone: ZoneInfo) -> Row:
    return Row(
        f"{transition.at.astimezone(zone):%H:%M:%S}",
        transition.kind == "entered",
        transition.segment,
        transition.profile,
        cause(transition.cause),
    )
