"""What `livesegments apply` would do, worked out before anything is done: one step a segment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from livesegments.cli import creating, folder
from livesegments.cli.client import Client
from livesegments.cli.problem import Problem
from livesegments.client import planning, segments

COUNTED = 50
"""At most for so many segments is counted who would enter and leave: each asks history."""
MOST = 1_000
"""Segments that may change at once: the api checks so many in one request."""


class Step(Struct, omit_defaults=True):
    """`fields` are those that differ; `entering` and `leaving` are None where nobody has counted."""

    action: Literal["create", "change", "delete"]
    id: str
    name: str
    fields: list[str] = []
    entering: int | None = None
    leaving: int | None = None
    applied: bool = False
    body: dict[str, Any] = {}
    etag: str = ""
    plan: str = ""

    @property
    def told(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "action": self.action,
            "id": self.id,
            "name": self.name,
            "fields": self.fields,
            "entering": self.entering,
            "leaving": self.leaving,
            "applied": self.applied,
        }


def steps(
    client: Client, wanted: Mapping[str, dict[str, Any]], there: Mapping[str, Any], delete: bool
) -> list[Step]:
    """In the order in which they can be done: what others need first, what needs others is deleted first.

    Raises Problem with every fault of every file."""
    archived = sorted(id_ for id_ in wanted if id_ in there and there[id_]["state"] == "archived")
    if archived:
        raise Problem(
            f"archived segments have files: {', '.join(archived)}",
            advice="take them up again (`livesegments segments unarchive ID`), or delete their files",
        )
    odd = [id_ for id_, body in wanted.items() if id_ not in there or _differs(body, there[id_])]
    if len(odd) > MOST:
        raise Problem(f"{len(odd):,} segments would change, at most {MOST:,} may at once", advice="in parts")
    bodies = [folder.whole(wanted[id_]) for id_ in odd]
    results = creating.checked(client, bodies, upsert=True) if odd else []
    found = []
    for id_, body, result in zip(odd, bodies, results, strict=True):
        if result.action == "create":
            found.append(Step("create", id_, body["name"], body=wanted[id_]))
        elif result.action == "edit":
            found.append(_change(id_, body, there[id_]))
    for step in found[:COUNTED]:
        _count(client, step)
    if delete:
        gone = {id_: each for id_, each in there.items() if id_ not in wanted and each["state"] != "archived"}
        found += [
            Step("delete", id_, gone[id_]["name"], leaving=gone[id_]["count"], etag=_etag(gone[id_]))
            for id_ in reversed(folder.ordered(gone))
        ]
    return found


def apply(client: Client, step: Step) -> None:
    """Only what was planned: raises Problem where the segment was edited since, or others would move by
    it."""
    if step.action == "create":
        creating.created(client, step.body)
    elif step.action == "change":
        client.ask(segments.edit(step.id, if_match=step.etag, if_plan_match=step.plan or None, **step.body))
    else:
        client.ask(segments.delete(step.id, if_match=step.etag))
    step.applied = True


def _differs(body: dict[str, Any], there: Mapping[str, Any]) -> bool:
    return folder.whole(folder.written(there)) != folder.whole({**body, "id": there["id"]})


def _change(id_: str, body: dict[str, Any], there: Mapping[str, Any]) -> Step:
    patch = {name: body[name] for name in creating.EDITABLE if name in body and body[name] != there[name]}
    if there["type"] == "static":
        patch.pop("definition", None)
    return Step("change", id_, there["name"], sorted(patch), body=patch, etag=_etag(there))


def _etag(there: Mapping[str, Any]) -> str:
    return f'"{there["version"]}"'


def _count(client: Client, step: Step) -> None:
    """Who would enter and leave; nobody knows where the definition names a segment that is yet to be made."""
    definition = step.body.get("definition")
    if definition is None:
        return
    try:
        if step.action == "change":
            plan = client.ask(planning.plan(step.id, definition, sample=0))
            step.entering, step.leaving, step.plan = plan["entering"], plan["leaving"], plan["plan"]
        else:
            step.entering = client.ask(planning.preview(definition, sample=0))["count"]
    except Problem as problem:
        if not any(fault.code == "unknown_segment" for fault in problem.faults):
            raise


def in_words(found: Sequence[Step]) -> list[tuple[str, str, str, str, str]]:
    """Rows of a table: what, which, its name, who would enter, who would leave."""
    return [
        (
            step.action if not step.fields else f"{step.action} {', '.join(step.fields)}",
            step.id,
            step.name,
            _number(step.entering),
            _number(step.leaving),
        )
        for step in found
    ]


def _number(count: int | None) -> str:
    return "" if count is None else f"{count:,}"
