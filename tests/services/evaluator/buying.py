"""A few events and conditions that many tests of the service take."""

from __future__ import annotations

from livesegments.core.event import PROFILE, Event

T = 1_700_000_000_000
"""An instant in milliseconds; and so are an hour, and a day."""
HOUR = 3_600_000
DAY = 24 * HOUR

ACTIVE = '{"type":"event","name":"bought","window":{"last":"1h"},"value":2}'
PRO = '{"type":"attribute","name":"plan","op":"eq","value":"pro"}'


def bought(id_: str, profile: str, time_ms: int, workspace: str = "w") -> Event:
    return Event(id_, workspace, profile, "bought", time_ms, {})


def plan(id_: str, profile: str, value: str, time_ms: int) -> Event:
    return Event(id_, "w", profile, PROFILE, time_ms, {"attributes": {"plan": value}})
