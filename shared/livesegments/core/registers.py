"""A `$profile` event applied: last-writer-wins registers by (time, event id), and the changes that it made.

Every register gives the same value whatever the order of arrival. The score is the latest `set` plus
all increments after it, so increments are kept until a later `set` covers them; past `MAX_INCREMENTS`
the two oldest become one. Increments still add up in any order. Only a `set` that arrives after more
than so many later increments can't take out an earlier increment that has become one with a later one.

Increments are added exactly, and their sum is kept, so one more costs the same however many there are. Only
the total is made the nearest number that an attribute can hold, and one beyond `MAX_SCORE` is `MAX_SCORE`. So
an order of arrival in which the total is too great for a while gives the same score in the end.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from livesegments.core import exact, parts
from livesegments.core.bounds import attribute_bytes, size
from livesegments.core.event import (
    ATTRIBUTE_CHANGED,
    CONSENT_CHANGED,
    TAG_ADDED,
    TAG_REMOVED,
    Event,
    ProfileChange,
    ScoreChange,
)
from livesegments.core.profile import WAITING, Increment, ListRegister, Profile, Register, consent_key

MAX_INCREMENTS = 1_000
MAX_SCORE = exact.MAX_DOUBLE
"""A score lies between it and its negative."""
_increments = msgspec.msgpack.Decoder(list[Increment])


class Change(Struct, frozen=True):
    """One register whose value differs now. `event` is the derived event; a list change has none."""

    register: Literal["attribute", "tag", "consent", "list"]
    name: str
    old: Any
    new: Any
    event: Event | None


def change_of(event: Event) -> ProfileChange:
    """The change of a `$profile` event. Raises msgspec.ValidationError."""
    return msgspec.convert(event.properties, ProfileChange)


def apply_change(
    profile: Profile,
    event: Event,
    change: ProfileChange | None = None,
    lists: Mapping[str, int] = MappingProxyType({}),
) -> Iterator[Change]:
    """Applies a `$profile` event to the registers, yielding each change of value as it is made.

    `lists`: static segment → its version now."""
    change = change_of(event) if change is None else change
    if change.attributes:
        attribute_bytes(profile)
    for name, value in change.attributes.items():
        if value is None:
            yield from _take_along(profile, event, name, change.attributes)
        elif parts.is_removed(profile, name, (event.time_ms, event.id)):
            if name not in profile.attributes:
                yield from _attribute(profile, event, name, None)
            continue
        yield from _attribute(profile, event, name, value)
    if change.groups:
        groups = sorted({*profile.groups, *change.groups})
        profile.groups = groups
        yield from _derived_attribute(profile, event, "groups", list(groups))
    if change.score is not None:
        _score(profile, event, change.score)
        yield from _derived_attribute(profile, event, "score", _total(profile))
    for name, present in _switched(change.tags_add, change.tags_remove).items():
        old = _write(profile.tags, name, present, event)
        if old is not None and (old[0] is True) != present:
            kind = TAG_ADDED if present else TAG_REMOVED
            derived = _derive(event, "tag", name, kind, {"name": name})
            yield Change("tag", name, old[0], present, derived)
    for pair, item in {consent_key(item.channel, item.topic): item for item in change.consent}.items():
        old = _write(profile.consent, pair, item.state, event)
        before = "none" if old is None or old[0] is None else old[0]
        if old is not None and before != item.state:
            facts = {"channel": item.channel, "topic": item.topic, "from": before, "to": item.state}
            derived = _derive(event, "consent", pair.replace("\0", "~"), CONSENT_CHANGED, facts)
            yield Change("consent", pair, before, item.state, derived)
    for name, present in _switched(change.lists_add, change.lists_remove).items():
        version = change.lists_versions.get(name) or lists.get(name, 0)
        if _write_list(profile.lists, name, ListRegister(present, event.time_ms, event.id, version)):
            yield Change("list", name, None, present, None)


def claim_lists(profile: Profile, lists: Mapping[str, int]) -> bool:
    """Gives what was written before its static segment was there to the version that is there now.

    Returns whether there was any."""
    waiting = [key for key in profile.lists if key[:1] == WAITING and key[1:] in lists]
    for key in waiting:
        name, register = key[1:], profile.lists.pop(key)
        _write_list(profile.lists, name, replace(register, version=lists[name]))
    return bool(waiting)


def _switched(added: tuple[str, ...], removed: tuple[str, ...]) -> dict[str, bool]:
    """Each name once. A name that one change both adds and removes is removed."""
    return dict.fromkeys(added, True) | dict.fromkeys(removed, False)


def _write(registers: dict[str, Register], name: str, value: Any, event: Event) -> tuple[Any] | None:
    """The value before in a tuple, or None if a later write stands."""
    register = registers.get(name)
    if register is None:
        registers[name] = Register(value, event.time_ms, event.id)
        return (None,)
    if (event.time_ms, event.id) < (register.time_ms, register.event_id):
        return None
    old = register.value
    registers[name] = Register(value, event.time_ms, event.id)
    return (old,)


def _write_list(registers: dict[str, ListRegister], name: str, new: ListRegister) -> bool:
    if new.version == 0:
        name = WAITING + name
    old = registers.get(name)
    if old is not None and (new.version, new.time_ms, new.event_id) < (
        old.version,
        old.time_ms,
        old.event_id,
    ):
        return False
    registers[name] = new
    return True


def _attribute(profile: Profile, event: Event, name: str, value: Any) -> Iterator[Change]:
    if name not in profile.attributes:
        profile.attribute_bytes += size(name)
    old = _write(profile.attributes, name, value, event)
    if old is not None:
        profile.attribute_bytes += size(value) - size(old[0])
    if old is not None and not same(old[0], value):
        yield _attribute_change(name, old[0], value, event)


def _take_along(profile: Profile, event: Event, name: str, written: Collection[str]) -> Iterator[Change]:
    """Removes the parts of an attribute that is removed, but those that the same event writes."""
    for part in parts.remove(profile, name, (event.time_ms, event.id)):
        if part not in written:
            old = profile.attributes[part].value
            profile.attributes[part] = Register(None, event.time_ms, event.id)
            profile.attribute_bytes -= size(old)
            yield _attribute_change(part, old, None, event)


def _derived_attribute(profile: Profile, event: Event, name: str, value: Any) -> Iterator[Change]:
    """The attributes `groups` and `score`, whose value doesn't follow from the latest write alone."""
    register = profile.attributes.get(name)
    old = None if register is None else register.value
    if not same(old, value):
        profile.attributes[name] = Register(value, event.time_ms, event.id)
        yield _attribute_change(name, old, value, event)


def _attribute_change(name: str, old: Any, new: Any, event: Event) -> Change:
    facts = {"name": name, "from": old, "to": new}
    return Change("attribute", name, old, new, _derive(event, "attribute", name, ATTRIBUTE_CHANGED, facts))


def _derive(cause: Event, register: str, label: str, kind: str, facts: dict[str, Any]) -> Event:
    event_id = f"{cause.id}~{register}~{label}"
    return Event(event_id, cause.workspace, cause.profile, kind, cause.time_ms, facts)


def same(left: Any, right: Any) -> bool:
    """Equal as the language sees it: numbers by value, but true is not 1."""
    if type(left) is list and type(right) is list:
        return len(left) == len(right) and all(map(same, left, right))
    return (type(left) is bool) == (type(right) is bool) and bool(exact.plain(left) == exact.plain(right))


def _score(profile: Profile, event: Event, change: ScoreChange) -> None:
    stamp = (event.time_ms, event.id)
    base = profile.score
    if base is not None and stamp < (base.time_ms, base.event_id):
        return
    if change.set is not None:
        profile.score = Register(change.set, *stamp)
        profile.increments = [item for item in increments(profile) if (item[0], item[1]) > stamp]
        profile.increased = None
    elif change.increment is not None:
        increased, kept = _increased(profile), increments(profile)
        profile.increased = _kept(exact.add(increased, exact.exact(change.increment)))
        # by stamp alone: amounts may be text, which doesn't compare with numbers
        insort(kept, (*stamp, change.increment), key=lambda item: item[:2])
        if len(kept) > MAX_INCREMENTS:
            first, second = kept[:2]
            both = exact.add(exact.exact(first[2]), exact.exact(second[2]))
            kept[:2] = [(second[0], second[1], _kept(both))]


def increments(profile: Profile) -> list[Increment]:
    """A profile's increments; they stay encoded until they are first asked for."""
    found = profile.increments
    if isinstance(found, Raw):
        found = profile.increments = _increments.decode(found)
    return found


def _increased(profile: Profile) -> exact.Exact:
    """The sum of the increments; one that is not kept is added up and kept."""
    if profile.increased is None:
        total: exact.Exact = 0
        for _, _, amount in increments(profile):
            total = exact.add(total, exact.exact(amount))
        profile.increased = _kept(total)
    return exact.exact(profile.increased)


def _total(profile: Profile) -> int | float:
    latest = exact.exact(profile.score.value if profile.score else 0)
    return exact.finite(exact.add(latest, _increased(profile)))


def _kept(number: exact.Exact) -> int | float | str:
    """A form that `exact.exact` reads back as the same number."""
    short = exact.stored(number)
    return short if isinstance(short, int | float) else str(short)
