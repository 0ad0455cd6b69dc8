"""A timeline's moments in words: `Entered Buyers`, `city: Kyiv → Lviv`, `order`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from livesegments.client.profiles import Moment
from livesegments.console import formats
from livesegments.console.pages.profiles.shown import STATES, subject, value

MOST = 12
"""Properties that are shown of an event; the rest is counted."""
CAUSES = {
    "event": "by an event",
    "attribute": "by a change of the profile",
    "clock": "by the clock",
    "definition": "the definition was edited",
    "backfill": "the definition got its history",
    "retraction": "an event was taken back",
    "merge": "profiles were merged",
    "erasure": "the profile was erased",
    "repair": "after a repair",
}


class Happened(Struct, frozen=True):
    """`segment`: of a transition, for its link. `details`: name and value of what came with it."""

    when: str
    title: str
    picture: str
    kind: str = ""
    note: str = ""
    segment: str = ""
    details: tuple[tuple[str, str], ...] = ()
    more: int = 0


def happened(moment: Moment, zone: ZoneInfo, names: Mapping[str, str]) -> Happened:
    """`names`: segments by id, as far as they are known."""
    when, given = formats.exact(moment.time, zone), moment.properties
    name = str(given.get("name", ""))
    match moment.name:
        case "$segment_entered" | "$segment_exited":
            id_ = str(given.get("segment", ""))
            entered = moment.name == "$segment_entered"
            return Happened(
                when, f"{'Entered' if entered else 'Left'} {formats.short(names.get(id_, id_))}",
                "login" if entered else "logout", "good" if entered else "bad", cause(moment.cause), id_,
            )  # fmt: skip
        case "$attribute_changed":
            title = f"{formats.short(name)}: {value(given.get('from'))} → {value(given.get('to'))}"
            return Happened(when, title, "edit")
        case "$tag_added" | "$tag_removed":
            what = "Tag added" if moment.name == "$tag_added" else "Tag removed"
            return Happened(when, f"{what}: {formats.short(name)}", "sell")
        case "$consent_changed":
            said = str(given.get("to") or "none")
            to = subject(_text(given.get("channel")), _text(given.get("topic")))
            return Happened(when, f"Consent to {to}: {STATES.get(said, said)}", "verified_user")
    title = "Change of the profile" if moment.name == "$profile" else formats.short(moment.name)
    shown = [(formats.short(key), value(each)) for key, each in given.items()]
    return Happened(when, title, "bolt", details=tuple(shown[:MOST]), more=max(0, len(shown) - MOST))


def cause(given: str | None) -> str:
    return "" if given is None else CAUSES.get(given, given)


def _text(given: Any) -> str | None:
    return given if isinstance(given, str) else None
