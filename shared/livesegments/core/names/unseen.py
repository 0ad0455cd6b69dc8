"""Names in a definition that were never seen in the workspace, with the nearest name that was.

    {"type": "event", "name": "order_compleet"}   →   never seen here; did you mean 'order_completed'?

A warning, never a refusal: the first event may come later. There is no warning where no event was seen
at all, and none about the properties of a name that has more paths than are kept.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import TypeAlias

from livesegments.core.definition import (
    All,
    AnyOf,
    Attribute,
    Event,
    Filter,
    Near,
    Node,
    Not,
    Occurrence,
    Sequence,
    SequenceStep,
)
from livesegments.core.event import (
    ATTRIBUTE_CHANGED,
    CONSENT_CHANGED,
    PROFILE,
    SEGMENT_ENTERED,
    SEGMENT_EXITED,
    TAG_ADDED,
    TAG_REMOVED,
)
from livesegments.core.fault import Fault, join
from livesegments.core.names.seen import GAVE_WAY, Name

DERIVED: dict[str, tuple[str, ...]] = {
    ATTRIBUTE_CHANGED: ("name", "from", "to"),
    TAG_ADDED: ("name",),
    TAG_REMOVED: ("name",),
    CONSENT_CHANGED: ("channel", "topic", "from", "to"),
    SEGMENT_ENTERED: ("segment",),
    SEGMENT_EXITED: ("segment",),
}
"""The events that we make ourselves, and their properties: known without having been seen."""
Step: TypeAlias = Event | Occurrence | SequenceStep
LIKE = 0.6
"""How alike names must be, from 0 to 1, to be suggested."""
_BETWEEN = re.compile(r"[\W_]+")


def unseen(root: Node, names: Mapping[str, Name]) -> list[Fault]:
    """In the order of the definition; codes `unseen_event`, `unseen_attribute`, `unseen_property`."""
    return list(_node(root, "", names)) if names else []


def _node(node: Node, at: str, names: Mapping[str, Name]) -> Iterator[Fault]:
    match node:
        case All() | AnyOf():
            for index, child in enumerate(node.of):
                yield from _node(child, join(join(at, "of"), index), names)
        case Not():
            yield from _node(node.of, join(at, "of"), names)
        case Attribute():
            yield from _attribute(node.name, join(at, "name"), names)
        case Near():
            yield from _attribute(node.attribute, join(at, "attribute"), names)
        case Event():
            yield from _event(node, at, names)
            if node.measure.property is not None:
                yield from _property(node, node.measure.property, f"{at}/measure/property", names)
        case Occurrence():
            yield from _event(node, at, names)
            yield from _filters(node, node.has, f"{at}/has", names)
        case Sequence():
            for index, step in enumerate(node.steps):
                yield from _event(step, join(join(at, "steps"), index), names)
                if node.same is not None:
                    yield from _property(step, node.same, join(at, "same"), names)


def _attribute(name: str, at: str, names: Mapping[str, Name]) -> Iterator[Fault]:
    profile = names.get(PROFILE, Name(0))
    if not profile.full and name not in profile.paths:
        yield _fault(at, "attribute", name, f"no profile has had an attribute {name!r}", profile.paths)


def _event(step: Step, at: str, names: Mapping[str, Name]) -> Iterator[Fault]:
    listed = step.names or (step.name,)
    for index, name in enumerate(listed):
        if not _is_known(name, names) and GAVE_WAY not in names:  # else it may have been seen before these
            others = [each for each in (*names, *DERIVED) if each != PROFILE]
            where = f"{at}/names/{index}" if step.names else join(at, "name")
            yield _fault(where, "event", name, f"no event {name!r} was ever seen", others)
    yield from _filters(step, step.where, f"{at}/where", names)


def _filters(
    step: Step, filters: tuple[Filter, ...], at: str, names: Mapping[str, Name], within: str = ""
) -> Iterator[Fault]:
    """`within`: the path of the list whose items they are about, with a dot."""
    for index, item in enumerate(filters):
        path, place = within + item.property, f"{at}/{index}"
        yield from _property(step, path, f"{place}/property", names)
        for field in ("item", "no_item"):
            yield from _filters(step, getattr(item, field), f"{place}/{field}", names, f"{path}.")


def _is_known(name: str, names: Mapping[str, Name]) -> bool:
    return name in names or name in DERIVED


def _property(step: Step, path: str, at: str, names: Mapping[str, Name]) -> Iterator[Fault]:
    """Of events that were seen, where none of their names was seen with it."""
    known = [name for name in step.called if _is_known(name, names)]
    paths: set[str] = set()
    for event in known:
        seen = names.get(event)
        mine: Collection[str] = DERIVED[event] if seen is None else seen.paths
        if seen is not None and (seen.full or any(each.startswith(f"{path}.") for each in mine)):
            return  # an inner object may be tested by `exists`
        paths.update(mine)
    if known and path not in paths:
        told = " or ".join(map(repr, known))
        yield _fault(at, "property", path, f"no event {told} was seen with a property {path!r}", paths)


def _fault(at: str, what: str, name: str, told: str, known: Collection[str]) -> Fault:
    found = nearest(name, known)
    hint = f"; did you mean {found!r}?" if found is not None else ""
    return Fault(at, f"unseen_{what}", f"{told}{hint}")


def nearest(name: str, known: Collection[str]) -> str | None:
    """The most similar name, or None; upper case, spaces and punctuation count for nothing."""
    plain = {_plain(each): each for each in sorted(known, reverse=True)}
    found = get_close_matches(_plain(name), plain, 1, LIKE)
    return plain[found[0]] if found else None


def _plain(name: str) -> str:
    return _BETWEEN.sub("", name.casefold())
