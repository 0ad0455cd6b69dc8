"""`livesegments explain SEGMENT PROFILE`: why somebody is in a segment or not, as a tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import typer
from rich.text import Text

from livesegments.cli import output
from livesegments.cli.verb import Call, verb
from livesegments.client import explanations

HEADS = {"all": "all of", "any": "any of", "not": "not", "list": "on the list"}


@verb()
def explain(
    call: Call,
    segment: Annotated[str, typer.Argument(metavar="SEGMENT", help="The segment's id.")],
    profile: Annotated[str, typer.Argument(metavar="PROFILE", help="The profile's id.")],
    events: Annotated[
        int, typer.Option(min=0, max=50, help="The most events to show behind a condition.")
    ] = 0,
) -> None:
    """Why a profile is in a segment or not, and what would change that."""
    found = call.client.ask(explanations.read(segment, profile, events=events))
    if call.printed(found):
        return
    local = call.zone
    for line in lines(found, local):
        output.console.print(line, soft_wrap=True)


def lines(found: dict[str, Any], local: ZoneInfo) -> Iterator[Text]:
    """An explanation for people."""
    is_in = "is in" if found["in"] else "is not in"
    since = f" since {output.instant(found['entered_at'], local)}" if found["entered_at"] else ""
    version = f"(version {found['version']}; times are in {local})"
    yield Text(f"{found['profile']} {is_in} {found['segment']}{since} {version}")
    if not found["judged"]:
        yield Text(
            "the profile is yet to be evaluated under this version; the tree says what will follow", "dim"
        )
    yield from _node(found["why"], local, 0)
    change = found["change"]
    if change is None:
        yield Text("no single change would flip it")
    else:
        before = f", before {output.instant(change['before'], local)}" if change["before"] else ""
        yield Text(f"would flip it: {_change(change)}{before}")
    if found["flips_at"] is not None:
        yield Text(f"the clock alone flips it at {output.instant(found['flips_at'], local)}")
    else:
        yield Text("the clock alone never flips it, as things are")


def _node(node: dict[str, Any], local: ZoneInfo, depth: int) -> Iterator[Text]:
    mark = ("✓ ", "green") if node["holds"] else ("✗ ", "red")
    condition = node["condition"]
    head = _condition(condition) if condition is not None else HEADS[node["type"]]
    evidence = _evidence(node["evidence"], local) if node["evidence"] is not None else ""
    yield Text.assemble("  " * depth, mark, head, (evidence and f"  ← {evidence}", "dim"))
    for event in node["evidence"]["events"] if node["evidence"] is not None else ():
        yield behind(event, local, "  " * depth)
    for child in node["of"]:
        yield from _node(child, local, depth + 1)


def behind(event: dict[str, Any], local: ZoneInfo, indent: str) -> Text:
    """An event that a condition counts, on a line of its own."""
    told = f"{indent}    {output.instant(event['time'], local)}  {event['id']}  {_json(event['properties'])}"
    return Text(told, "dim")


def _condition(condition: dict[str, Any]) -> str:
    """In the words of the language, and in its order, shortened."""
    match condition["type"]:
        case "attribute":
            return _words(condition["name"], condition["op"], _operand(condition))
        case "event":
            measure = condition.get("measure") or {}
            of = " of ".join(filter(None, (measure.get("of", "count"), measure.get("property"))))
            wanted = _words(condition.get("op", "gte"), condition.get("value", 1))
            return f"{_event(condition)}: {of} {wanted}"
        case "occurrence":
            has = _filters(condition.get("has"))
            return f"{condition['which']} {_event(condition)}{f' has {has}' if has else ''}"
        case "sequence":
            steps = (("no " if step.get("absent") else "") + _event(step) for step in condition["steps"])
            same = f" with the same {condition['same']}" if condition.get("same") else ""
            return f"{', then '.join(steps)}{same} within {condition['within']}{_window(condition)}"
        case "segment":
            return f"in segment {condition['id']}"
        case "tag":
            return f"tag {condition['name']}" if condition.get("name") else "any tag"
        case "consent":
            subject = " ".join(condition[part] for part in ("channel", "topic") if condition.get(part))
            return _words("consent", subject or None, condition["state"])
        case "near":
            place = f"{condition['lat']}, {condition['lon']}"
            return f"{condition['attribute']} within {condition['km']} km of {place}"
    return _json(condition)


def _event(part: dict[str, Any]) -> str:
    filters = _filters(part.get("where"))
    where = f" where {filters}" if filters else ""
    return f"{' or '.join(part.get('names') or [part['name']])}{where}{_window(part)}"


def _filters(filters: list[dict[str, Any]] | None) -> str:
    return " and ".join(map(_filter, filters or ()))


def _filter(item: dict[str, Any]) -> str:
    for name, word in (("item", "an item"), ("no_item", "no item")):
        if item.get(name):
            return f"{word} of {item['property']} ({_filters(item[name])})"
    return _words(item["property"], item["op"], _operand(item))


def _operand(condition: dict[str, Any]) -> Any:
    listed = condition.get("value_list")
    return condition.get("value") if listed is None else f"list {listed}"


def _window(part: dict[str, Any]) -> str:
    window = part.get("window") or {}
    names = ("last", "skip", "period", "from", "to")
    words = (f"{name} {window[name]}" for name in names if window.get(name) is not None)
    return "".join(f" {word}" for word in words)


def _evidence(evidence: dict[str, Any], local: ZoneInfo) -> str:
    value = evidence["value"]
    parts = ["nothing" if value is None else _json(value) + (" or more" if evidence["or_more"] else "")]
    if evidence["steps"] is not None:
        shared = "" if evidence["same"] is None else f" with {_json(evidence['same'])}"
        parts.append(f"{evidence['steps']} steps have come{shared}")
    if evidence["at"] is not None:
        parts.append(f"at {output.instant(evidence['at'], local)}")
    if evidence["event_id"] is not None:
        parts.append(f"by event {evidence['event_id']}")
    if evidence["moves_at"] is not None:
        parts.append(f"may change at {output.instant(evidence['moves_at'], local)}")
    return ", ".join(parts)


def _change(change: dict[str, Any]) -> str:
    match change["type"]:
        case "event":
            such = f", with {_json(change['properties'])}" if change["properties"] else ""
            other = f", each with another {change['varying']}" if change["varying"] else ""
            return f"{change['count']} more {change['name']}{such}{other}"
        case "attribute":
            if change["value"] is None:
                return f"without attribute {change['name']}"
            return f"attribute {change['name']} = {_json(change['value'])}"
        case "tag":
            return f"tag {change['name']} {'added' if change['value'] else 'removed'}"
        case "consent":
            subject = " ".join(change[part] for part in ("channel", "topic") if change[part])
            return _words("consent", subject or None, change["value"])
    return "put on the list" if change["value"] else "taken off the list"


def _words(*parts: Any) -> str:
    said = (part if isinstance(part, str) else _json(part) for part in parts if part is not None)
    return " ".join(said)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
