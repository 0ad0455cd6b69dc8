"""`livesegments segments create`: all segments of a file are checked before the first of them is created."""

from __future__ import annotations

from typing import Any, Literal, get_args

import msgspec
from msgspec import Struct, structs

from livesegments.cli.client import Client
from livesegments.cli.problem import Problem
from livesegments.client import planning
from livesegments.client import segments as api
from livesegments.core.definition import Node
from livesegments.core.fault import Fault

NODES = {node.__struct_config__.tag for node in get_args(Node)}
"""The types of the nodes of definitions."""
FIXED = ("id", "type")
MANY = 50
"""More segments than this are created by one request, all of them or none."""
DONE = {"create": "created", "edit": "edited", "none": "unchanged:"}
EDITABLE = frozenset({"name", "description", "tags", "folder", "topics", "definition", "tests"})


class Checked(Struct):
    """The api's answer for one segment: `action` is what creating it would do."""

    action: Literal["create", "edit", "none"]
    errors: list[Fault]
    warnings: list[Fault] = []


def is_definition(body: Any) -> bool:
    """Whether it is a definition by itself, as `preview` takes it, and no segment."""
    return isinstance(body, dict) and "definition" not in body and body.get("type") in NODES


def segments_in(body: Any, file: str) -> list[Any]:
    """Raises Problem for an empty array (nobody means to create nothing) and a definition by itself."""
    several = body if isinstance(body, list) else [body]
    if any(map(is_definition, several)):
        raise Problem(
            f"{file} has a definition, and a segment needs a name as well",
            advice='put it into {"name": "…", "definition": …}',
        )
    if not several:
        raise Problem(f"{file} has no segment: its array is empty", advice="give at least one segment")
    return several


def checked(client: Client, segments: list[Any], upsert: bool) -> list[Checked]:
    """As if they were created in this order. Raises Problem with every fault of every segment."""
    answer = client.ask(api.check(segments, upsert=upsert))
    results = msgspec.convert(answer["results"], list[Checked])
    wrong = [(number, result) for number, result in enumerate(results, 1) if result.errors]
    if wrong:
        alone = len(segments) == 1
        faults = [
            fault if alone else msgspec.structs.replace(fault, pointer=f"/{number - 1}{fault.pointer}")
            for number, result in wrong
            for fault in result.errors
        ]
        which = ", ".join(f"{number}{_label(segments[number - 1])}" for number, _ in wrong)
        of = "the segment has faults" if alone else f"faults in segment {which} of {len(segments)}"
        raise Problem(
            f"{of}; nothing was created",
            advice="correct these, then repeat (--upsert edits those segments that are there already)",
            faults=tuple(faults),
        )
    return results


def _label(segment: Any) -> str:
    name = segment.get("id") or segment.get("name") if isinstance(segment, dict) else None
    return f" ({name})" if isinstance(name, str) else ""


def created_at_once(client: Client, segments: list[Any], upsert: bool) -> list[tuple[str, dict[str, Any]]]:
    """In the file's order: what was done, in words, and the segment's id, name and versions.

    Raises Problem with every fault of every segment.
    """
    answer = client.ask(api.create_all(segments, upsert=upsert))
    return [(DONE[each["action"]], each) for each in answer["segments"]]


def applied(client: Client, segment: Any, result: Checked, file: str) -> tuple[str, dict[str, Any]]:
    """Creates or edits one checked segment: what was done, in words, and the segment."""
    if result.action == "create":
        return "created", created(client, segment)
    old = client.ask(api.read(segment["id"]))
    if result.action == "none":
        return "unchanged:", old
    return edited(client, segment, old, file)


def created(client: Client, body: dict[str, Any]) -> Any:
    """The segment of a body as somebody wrote it: what is odd about it, the api says."""
    return client.ask(structs.replace(api.create(""), body=body))


def edited(client: Client, body: Any, old: dict[str, Any], file: str) -> tuple[str, dict[str, Any]]:
    """Changes what `body` names and the segment as it was read does not have already."""
    patch = changes(body, old, file)
    if not patch:
        return "unchanged:", old
    return "edited", client.ask(structs.replace(api.edit(old["id"], if_match=old["version"]), body=patch))


def planned(client: Client, body: Any, old: dict[str, Any], file: str) -> dict[str, Any]:
    """What the edit of the definition would do; the api answers for no other field."""
    definition = changes(body, old, file).get("definition", old["definition"])
    plan: dict[str, Any] = client.ask(planning.plan(old["id"], definition))
    return plan


def changes(body: Any, old: dict[str, Any], file: str) -> Any:
    """The part of `body` that is to be changed: neither fields that have that value already, nor those that
    `show` prints but nobody sets. Raises Problem when `body` is another segment's.
    """
    if not isinstance(body, dict):
        raise Problem(f"{file} is not one segment", advice="give a JSON object of what to change")
    if is_definition(body):
        body = {"definition": body}
    for name in FIXED:
        if name in body and body[name] != old[name]:
            raise Problem(
                f"{file} has {name} '{body[name]}', but the segment's is '{old[name]}', for good",
                advice="give the file of this segment, or create another (`livesegments segments create`)",
            )
    return {
        name: value
        for name, value in body.items()
        if name not in old or (name in EDITABLE and value != old[name])
    }
