"""A definition as one plain sentence.

    >>> sentence({"type": "event", "name": "order_placed", "value": 3, "window": {"last": "30d"}})
    'Placed an order at least 3 times in the last 30 days.'

Any JSON gives a sentence, also of a definition that its author has not finished: `…` stands for what is
missing. A test goes through every node, op and measure of the language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from livesegments.core.sentence import compared, measured, spans, text
from livesegments.core.sentence.happenings import did, noun

Json: TypeAlias = dict[str, Any]
Names: TypeAlias = Mapping[str, str]
"""Id → name, of the segments that a definition refers to."""

COMPUTED = "computed:"
MOST_DEEP = 40
"""What lies deeper is not read; a definition has at most 10 levels."""
_STATES = {
    "opted_in": ("has opted in to", "has not opted in to"),
    "opted_out": ("has opted out of", "has not opted out of"),
    "none": ("has said neither yes nor no to", "has said yes or no to"),
}


def sentence(definition: Any, names: Names | None = None) -> str:
    """The whole definition, with a full stop unless `…` ends it, and a capital letter unless that misspells
    `created_at`."""
    said = phrase(definition, names)
    first = said.split(" ", 1)[0]
    begun = first.capitalize() if first.isalpha() and first.islower() else first
    return f"{begun}{said[len(first) :]}{'' if said.endswith(text.MISSING) else '.'}"


def phrase(node: Any, names: Names | None = None) -> str:
    """A node and all below it, to stand within a sentence."""
    return _said(node, names or {}, False, 0)


def _said(node: Any, names: Names, denied: bool, deep: int) -> str:
    if not isinstance(node, dict) or deep > MOST_DEEP:
        return text.MISSING
    kind = node.get("type")
    if kind == "not":
        return _said(node.get("of"), names, not denied, deep + 1)
    if kind in ("all", "any"):
        said = _group(node, names, deep, inner=denied)
        return f"not {said}" if denied else said
    said_by = _LEAVES.get(kind) if isinstance(kind, str) else None
    if said_by is None:
        return text.MISSING
    return said_by(node, denied, names)


def _group(node: Json, names: Names, deep: int, inner: bool) -> str:
    of = node.get("of")
    of = of if isinstance(of, list) else []
    said = [_said(each, names, False, deep + 1) for each in of]
    said = [
        f"({part})" if _is_group(each) and not part.startswith("not (") else part
        for part, each in zip(said, of, strict=True)
    ]
    word = "and" if node["type"] == "all" else "or"
    if not said:
        return text.MISSING
    if len(said) > 1:
        heavy = len(said) > 2 or any(" and " in part or " or " in part or "," in part for part in said)
        whole = f"{',' * heavy} {word} ".join(said)
    else:
        (whole,) = said
    return f"({whole})" if inner and not (whole.startswith("(") and len(said) == 1) else whole


def _is_group(node: Any) -> bool:
    """Whether it needs brackets within another group."""
    while isinstance(node, dict) and node.get("type") == "not":
        node = node.get("of")
    return isinstance(node, dict) and node.get("type") in ("all", "any") and _many(node.get("of"))


def _many(of: Any) -> bool:
    return isinstance(of, list) and len(of) > 1


def attribute(node: Json, denied: bool, names: Names) -> str:
    """Also of a computed attribute, by its id."""
    name = node.get("name")
    if isinstance(name, str) and name.startswith(COMPUTED):
        subject = f"the computed attribute {text.name(name.removeprefix(COMPUTED))}"
    else:
        subject = text.name(name)
    return compared.comparison(node, subject, denied)


def _event(node: Json, denied: bool, names: Names) -> str:
    return measured.event(node, denied)


def _occurrence(node: Json, denied: bool, names: Names) -> str:
    which = {"first": "for the first time", "last": "for the last time"}.get(
        str(node.get("which")), f"for the {text.MISSING} time"
    )
    when = spans.window(node.get("window"))
    has = node.get("has")
    then = f"(and then {measured.both(has)})" if isinstance(has, list) and has else ""
    said = measured.joined(did(node), measured.filters(node), which, when, then)
    return f"not ({said})" if denied else said


def _sequence(node: Json, denied: bool, names: Names) -> str:
    steps = [each if isinstance(each, dict) else {} for each in node.get("steps") or []]
    within = text.duration(node.get("within"))
    done = [
        measured.joined(did(each), measured.filters(each)) for each in steps if each.get("absent") is not True
    ]
    absent = [
        measured.joined(noun(each), measured.filters(each)) for each in steps if each.get("absent") is True
    ]
    said = ", then ".join(done) or text.MISSING
    if absent:
        said += f", with no {' or '.join(absent)} within {within}"
    else:
        said += f", all within {within}"
    if "same" in node:
        said += f", with one value of {text.name(node['same'])}"
    if when := spans.window(node.get("window")):
        said += f", beginning {when}"
    return f"not ({said})" if denied else said


def _segment(node: Json, denied: bool, names: Names) -> str:
    id_ = node.get("id")
    shown = names.get(id_, id_) if isinstance(id_, str) else id_
    return f"is {'not ' * denied}in the segment {text.scalar(shown)}"


def _tag(node: Json, denied: bool, names: Names) -> str:
    if node.get("name") is None:
        return "has no tag" if denied else "has a tag"
    return f"{'does not have' if denied else 'has'} the tag {text.scalar(node['name'])}"


def _consent(node: Json, denied: bool, names: Names) -> str:
    said = _STATES.get(str(node.get("state")), (f"has the consent {text.MISSING} for",) * 2)[denied]
    topic = f"the topic {text.scalar(node['topic'])}" if node.get("topic") is not None else ""
    channel = f"the channel {text.scalar(node['channel'])}" if node.get("channel") is not None else ""
    return f"{said} {measured.joined(topic, 'by' * bool(topic and channel), channel) or text.MISSING}"


def _near(node: Json, denied: bool, names: Names) -> str:
    where = f"{_degrees(node.get('lat'), 'N', 'S')} {_degrees(node.get('lon'), 'E', 'W')}"
    name, km = text.name(node.get("attribute")), text.number(node.get("km"))
    return f"{name} is {'not ' * denied}within {km} km of {where}"


def _degrees(value: Any, plus: str, minus: str) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return text.MISSING
    return f"{text.number(abs(value))}° {plus if value >= 0 else minus}"


def _bucket(node: Json, denied: bool, names: Names) -> str:
    low, high = text.number(node.get("from")), text.number(node.get("to"))
    return (
        f"is {'not ' * denied}in the random share from {low}% to {high}% of {text.scalar(node.get('salt'))}"
    )


def _computed(node: Json, denied: bool, names: Names) -> str:
    asked = node.get("asked")
    if not isinstance(asked, dict):
        return measured.over(node)
    return compared.comparison(asked, measured.over(node), denied)


_LEAVES: dict[str, Callable[[Json, bool, Names], str]] = {
    "attribute": attribute,
    "event": _event,
    "occurrence": _occurrence,
    "sequence": _sequence,
    "segment": _segment,
    "tag": _tag,
    "consent": _consent,
    "near": _near,
    "bucket": _bucket,
    "computed": _computed,
}
