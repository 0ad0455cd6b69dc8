"""What fields offer: the names of events, properties and attributes that were seen, with their types
and values. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from livesegments.client.names import SeenNames, SeenPath
from livesegments.console.builder.values import shown


class Path(Struct, frozen=True):
    types: tuple[str, ...] = ()
    values: tuple[Any, ...] = ()


class Seen(Struct, frozen=True):
    """`events`: name → its properties, by path. `computed`: id → what its measure gives. The others: id
    → name."""

    events: dict[str, dict[str, Path]] = {}
    attributes: dict[str, Path] = {}
    segments: dict[str, str] = {}
    computed: dict[str, str] = {}
    value_lists: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    has_all_segments: bool = True
    """False: the workspace has more than `segments`."""

    def properties(self, names: Iterable[Any]) -> dict[str, Path]:
        """Those of any of the events; of several, what was seen of the first."""
        found: dict[str, Path] = {}
        for name in names:
            for path, seen in self.events.get(name if isinstance(name, str) else "", {}).items():
                found.setdefault(path, seen)
        return dict(sorted(found.items()))


def of_names(names: SeenNames, **more: Any) -> Seen:
    return Seen(
        events={each.name: _paths(each.properties) for each in names.events},
        attributes=_paths(names.attributes),
        **more,
    )


def described(paths: dict[str, Path]) -> dict[str, str]:
    """Path → its types, as a field offers it."""
    return {name: ", ".join(path.types) for name, path in paths.items()}


def called(happening: Any) -> list[Any]:
    """The names of the events of a node or of a step."""
    if not isinstance(happening, dict):
        return []
    names = happening.get("names")
    return list(names) if isinstance(names, list) else [happening.get("name")]


def with_names(happening: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """One name is `name`, several are `names`."""
    rest = {field: value for field, value in happening.items() if field not in ("name", "names")}
    kind = {"type": rest.pop("type")} if "type" in rest else {}
    which = {"which": rest.pop("which")} if "which" in rest else {}
    named = {"names": list(names)} if len(names) > 1 else {"name": names[0] if names else ""}
    return {**kind, **which, **named, **rest}


def offered(values: Iterable[Any]) -> list[str]:
    """Values as they stand in a field."""
    return [shown(each) for each in values if not isinstance(each, list | dict)]


def _paths(paths: Iterable[SeenPath]) -> dict[str, Path]:
    return {each.name: Path(tuple(each.types), tuple(each.values)) for each in paths}
