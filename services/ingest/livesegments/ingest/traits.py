"""A change of a profile from outside, part by part: traits or attributes, and the reserved ones among them.

`{"email": "a@example.com", "companies": [{"id": "c1"}]}` sets the e-mail, and the verdict says that
`companies` was left out: one odd part never loses the others. Attributes are typed by their values. `tags`,
`consent`, `score`, `groups` and `created_at` are reserved: each is checked for its own form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from livesegments.core.declared import Declarations
from livesegments.core.fault import Fault, Faults, join, kind_name
from livesegments.core.ids import is_id
from livesegments.core.typed import Misfit
from livesegments.core.typed import read as typed
from livesegments.ingest import forms
from livesegments.ingest.lists import Lists

MAX_ATTRIBUTES = 1_000
"""Attributes in one change."""
BESIDE = ("tags", "consent", "score", "groups", "lists")
"""What our own form has beside `attributes`."""
RESERVED = ("tags", "consent", "score", "groups")
"""Of those, the ones that lie among Segment's traits."""
INSTEAD = {
    "tags": 'send {"remove": ["a"]} to remove tags',
    "consent": "send the state 'none' of a channel or topic",
    "score": 'send {"reset": true} to set it to 0',
    "groups": "groups are only ever added",
    "lists": 'send {"remove": ["a"]} to leave lists',
}
"""What to send instead of null, which says neither what to remove nor what to keep."""
Part = dict[str, Any]


class Change:
    """A change as it is read: `properties` as in `core.event.ProfileChange`, and what was left out of it.

    `odd` holds the parts that were left out as they came, by their names; `faults` says why.
    """

    def __init__(self, declared: Declarations | None = None) -> None:
        self._declared = declared or {}
        self.properties: dict[str, Any] = {}
        self.odd: dict[str, Any] = {}
        self.faults: list[Fault] = []

    def part(self, name: str, value: Any, at: str, read: Callable[[Faults, Any, str], Part]) -> None:
        """Adds what `read` gives for a part; null is refused."""
        faults = Faults()
        found: Part = {}
        if value is None:
            faults.add(at, "no_meaning", f"null says nothing here: {INSTEAD[name]}")
        else:
            found = read(faults, value, at)
        if not faults.found:
            self.properties |= found
            return
        self.leave(name, value, faults)
        if name != "score":  # the good items of a list are kept
            self.properties |= {field: items for field, items in found.items() if items}

    def plain(self, name: str, value: Any) -> bool:
        """Adds an attribute that is a text or a boolean, as most are; whether it was one."""
        if (
            type(value) not in (str, bool)
            or name == "created_at"
            or name in self._declared
            or not is_id(name)
        ):
            return False
        self.properties.setdefault("attributes", {})[name] = value
        return True

    def attribute(self, name: str, value: Any, at: str) -> Faults:
        """Adds one attribute, unless it has faults: these."""
        faults = Faults()
        try:
            given = typed(self._declared[name], value) if name in self._declared else value
        except Misfit as misfit:
            faults.add(at, "wrong_type", f"is declared a {self._declared[name].type}: {misfit}")
            return faults
        kept = forms.attribute(faults, name, given, at)
        if not faults.found:
            self.properties.setdefault("attributes", {})[name] = kept
        return faults

    def leave(self, name: str, value: Any, faults: Faults) -> None:
        """Leaves a part out, if it has faults."""
        if not faults.found:
            return
        self.odd[name] = value
        self.faults += faults.found

    def bounded(self, at: str) -> Fault | None:
        """The fault of a change of too many attributes."""
        count = len(self.properties.get("attributes", ()))
        if count <= MAX_ATTRIBUTES:
            return None
        return Fault(at, "too_long", f"has {count} attributes; one change has at most {MAX_ATTRIBUTES}")


def from_traits(change: Change, traits: dict[str, Any], at: str) -> None:
    """Segment's traits: reserved names lie among the attributes.

    An object such as `address` is several attributes, `address.city` and so on.
    """
    for name, value in traits.items():
        if name not in RESERVED and change.plain(name, value):
            continue
        where = join(at, name)
        match name:
            case "tags":
                change.part(name, value, where, forms.tags)
            case "consent":
                change.part(name, value, where, forms.consent)
            case "score":
                change.part(name, value, where, forms.score)
            case "groups":
                change.part(name, value, where, _no_groups)
            case _:
                for part, inner, place in _parts(name, value, where):
                    change.leave(name, value, change.attribute(part, inner, place))


def _no_groups(faults: Faults, _: Any, at: str) -> Part:
    faults.add(at, "reserved_name", "groups are added by a group call")
    return {}


def _parts(name: str, value: Any, at: str) -> Iterator[tuple[str, Any, str]]:
    """(name, value, pointer) of each attribute in a trait."""
    if not isinstance(value, dict) or value.keys() == forms.POINT:
        yield name, value, at
        return
    if name == "location" and value and value.keys() <= forms.POINT:
        yield name, value, at
        return
    for part, inner in value.items():
        yield from _parts(f"{name}.{part}", inner, join(at, part))


def from_own(change: Change, item: dict[str, Any], lists: Lists | None) -> None:
    """Our own form: `attributes`, and the parts beside it."""
    if item.get("attributes") is not None:
        _own_attributes(change, item["attributes"])
    readers: dict[str, Callable[[Faults, Any, str], Part]] = {
        "tags": forms.tags,
        "consent": forms.consent,
        "score": forms.score,
        "groups": lambda faults, value, at: {"groups": forms.names(faults, value, at)},
        "lists": lambda faults, value, at: _lists(faults, value, at, lists),
    }
    for name, read in readers.items():
        if name in item:
            change.part(name, item[name], f"/{name}", read)


def _own_attributes(change: Change, given: Any) -> None:
    faults = Faults()
    if not isinstance(given, dict):
        faults.add("/attributes", "wrong_type", f"must be an object, not {kind_name(given)}")
        change.leave("attributes", given, faults)
        return
    odd: dict[str, Any] = {}
    for name, value in given.items():
        if name not in BESIDE and change.plain(name, value):
            continue
        where = join("/attributes", name)
        if name in BESIDE:
            told = f"{name!r} is no attribute: put it beside 'attributes'"
            faults.add(where, "reserved_name", told)
            odd[name] = value
        elif of_one := change.attribute(name, value, where).found:
            faults.found += of_one
            odd[name] = value
    change.leave("attributes", odd, faults)


def _lists(faults: Faults, value: Any, at: str, lists: Lists | None) -> Part:
    read = forms.added_and_removed(faults, value, at, "lists")
    if lists is None:
        return read
    if "lists_add" in read:
        read = {**read, "lists_add": lists.static(faults, read["lists_add"], join(at, "add"))}
    versions = lists.versions([*read.get("lists_add", ()), *read.get("lists_remove", ())])
    return {**read, "lists_versions": versions} if versions else read
