"""The form in which profiles are stored has a number, and whoever changes the form is told to raise it."""

from __future__ import annotations

from hashlib import blake2b

from msgspec import convert

from bench.kinds import SHAPES
from livesegments.core.definition import Node
from livesegments.core.event import PROFILE, Event
from livesegments.core.plan import Segment, compile
from livesegments.core.profile import Profile, encode
from livesegments.core.states import STATES
from livesegments.core.step import on_clock, on_event

START, MINUTE = 1_700_000_000_000, 60_000
KNOWN = {2: "f1c17f43e31d60ca750a4c3c5e2e22ac"}
"""Number of the form → digest of the states below."""
CHANGES = {
    "attributes": {"city": "Paris", "visits": 7, "vip": True},
    "tags_add": ["new"],
    "consent": [{"channel": "email", "topic": "news", "state": "opted_in"}],
}


def states() -> list[bytes]:
    """One profile of every kind of fact, with a few events and with many, and one with all that is no event."""
    found = []
    for name, shape in SHAPES.items():
        node = convert(shape.definition(3_600), Node)
        plan, profile = compile("w", "UTC", [Segment(name, 1, 1, node)], 1), None
        for number in range(200):
            event = shape.event(number, 50)
            while profile is not None and profile.wake_at is not None and profile.wake_at <= event.time_ms:
                on_clock(plan, "p", profile, profile.wake_at)
            profile = on_event(plan, profile, event, event.time_ms).profile
            if number in (3, 199):
                assert profile is not None
                found.append(encode(profile))
    node = convert({"type": "attribute", "name": "city", "op": "eq", "value": "Paris"}, Node)
    plan = compile("w", "UTC", [Segment("s", 1, 1, node)], 1)
    changed: Profile | None = None
    for number, (what, change) in enumerate(CHANGES.items()):
        event = Event(f"c{number}", "w", "p", PROFILE, START + number * MINUTE, {what: change})
        changed = on_event(plan, changed, event, event.time_ms).profile
    assert changed is not None
    return [*found, encode(changed)]


def test_another_form_has_another_number() -> None:
    digest = blake2b(digest_size=16)
    for state in states():
        digest.update(len(state).to_bytes(4, "big") + state)
    assert KNOWN.get(STATES) == digest.hexdigest(), (
        "Profiles are stored in another form. Raise STATES in core/states.py, unless what is stored in the form "
        f"before is read as well, and put {digest.hexdigest()!r} here: it is the digest of the new form."
    )
