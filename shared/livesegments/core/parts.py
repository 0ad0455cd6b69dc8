"""An attribute that is removed takes its parts with it: `address` takes `address.city` and `address.geo.lat`.

A removal stands against every part that was written before it by (time, event id), whichever arrives first.
So the latest removal of each attribute is kept beside its register, where a later value of the attribute
itself does not cover it. A part that the removing event itself writes stays.
"""

from __future__ import annotations

from collections.abc import Iterator

from livesegments.core.profile import Profile, Stamp


def remove(profile: Profile, name: str, stamp: Stamp) -> list[str]:
    """Notes the removal of an attribute; the parts that it takes along."""
    profile.removed[name] = max(stamp, profile.removed.get(name, stamp))
    begin = f"{name}."
    return [
        part
        for part, register in profile.attributes.items()
        if part.startswith(begin)
        and register.value is not None
        and (register.time_ms, register.event_id) < stamp
    ]


def is_removed(profile: Profile, name: str, stamp: Stamp) -> bool:
    """Whether a part written at `stamp` went with what it is a part of."""
    if not profile.removed or "." not in name:
        return False
    return any(stamp < profile.removed[whole] for whole in _wholes(name) if whole in profile.removed)


def _wholes(name: str) -> Iterator[str]:
    """The names of which a name is a part: `a.b` and `a` of `a.b.c`."""
    end = name.rfind(".")
    while end > 0:
        yield name[:end]
        end = name.rfind(".", 0, end)
