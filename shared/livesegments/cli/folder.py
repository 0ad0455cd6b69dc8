"""A folder of segments as files: `vips.json` has the segment `vips`, one JSON object.

A file has all that its segment is: a field that it leaves out has its default. Nobody writes into it what
only the api knows: versions, sizes, instants.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import msgspec

from livesegments.cli import files
from livesegments.cli.problem import Problem
from livesegments.core.definition import Node
from livesegments.core.references import References, references

DEFAULTS: dict[str, Any] = {"description": "", "tags": [], "folder": "", "topics": [], "tests": []}
FIELDS = ("id", "name", "type", "description", "tags", "folder", "topics", "definition", "tests")
"""In the order in which a file has them."""
END = ".json"


def written(segment: Mapping[str, Any]) -> dict[str, Any]:
    """A segment of the api as its file has it."""
    shown = {name: segment[name] for name in FIELDS if segment[name] != DEFAULTS.get(name, ())}
    if shown["type"] == "static":
        del shown["definition"]
    else:
        del shown["type"]
    return shown


def text(segment: Mapping[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(written(segment)), indent=2) + b"\n"


def whole(body: Mapping[str, Any]) -> dict[str, Any]:
    """A file's segment with the fields that it leaves out."""
    left_out = {"tests"} if body.get("type") == "static" else set()
    return {**{name: value for name, value in DEFAULTS.items() if name not in left_out}, **body}


def read(folder: Path) -> dict[str, dict[str, Any]]:
    """The segments of a folder's files by id, those that others refer to first. Raises Problem."""
    if not folder.is_dir():
        raise Problem(f"{folder} is no folder", advice="`livesegments pull DIR` makes one")
    found: dict[str, dict[str, Any]] = {}
    names: dict[str, str] = {}
    for file in sorted(folder.glob(f"*{END}")):
        body = files.read(str(file))
        if not isinstance(body, dict):
            raise Problem(f"{file} is not one segment", advice="each file has one JSON object")
        id_ = body.setdefault("id", file.name.removesuffix(END))
        if not isinstance(id_, str):
            raise Problem(f"{file} has an id that is no text", advice="correct it, then repeat")
        if id_ in found:
            raise Problem(
                f"{file} and {names[id_]} both have the segment '{id_}'", advice="delete one of them"
            )
        found[id_], names[id_] = body, str(file)
    return {id_: found[id_] for id_ in ordered(found)}


def ordered(bodies: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The ids, those that others refer to first; in their own order where they refer to each other in a
    circle."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for id_, body in bodies.items():
        needs = _needs(body.get("definition"))
        others: Iterable[str] = bodies.keys() if needs.all_others else needs.ids & bodies.keys()
        sorter.add(id_, *(other for other in sorted(others) if other != id_))
    try:
        return list(sorter.static_order())
    except CycleError:
        return list(bodies)


def _needs(definition: Any) -> References:
    """Of a definition with faults nothing: the api says what they are."""
    try:
        return references(msgspec.convert(definition, Node))
    except (msgspec.ValidationError, TypeError):
        return References()
