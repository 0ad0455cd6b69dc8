"""The kinds of conditions as an author chooses among them: what they are called, and what a new one
begins with.

A new condition begins with what is missing left out, not with a guess: its faults then say what to fill
in. Changing the kind keeps what both kinds have: an `event` that becomes an `occurrence` keeps its
name, its filters and its window.
"""

from __future__ import annotations

from copy import deepcopy

from msgspec import Struct

from livesegments.console.builder.pointer import Json, fields


class Kind(Struct, frozen=True):
    """`fields`: those that a node of the kind may have, besides `type`."""

    type: str
    label: str
    hint: str
    icon: str
    fields: tuple[str, ...]
    start: Json
    is_leaf: bool = True


_HAPPENING = ("name", "names", "where", "window")

KINDS: dict[str, Kind] = {
    kind.type: kind
    for kind in (
        Kind(
            "event",
            "Did something",
            "How often, how much or on how many days",
            "bolt",
            (*_HAPPENING, "measure", "op", "value"),
            {"type": "event", "name": "", "window": {"last": "30d"}},
        ),
        Kind(
            "attribute",
            "Has an attribute",
            "City, plan, age, a date; also computed ones",
            "badge",
            ("name", "op", "value", "value_list", "when_missing", "ignore_case"),
            {"type": "attribute", "name": "", "op": "eq"},
        ),
        Kind(
            "segment",
            "Is in a segment",
            "Another segment, or a list",
            "group",
            ("id",),
            {"type": "segment", "id": ""},
        ),
        Kind(
            "tag",
            "Has a tag",
            "A certain tag, or any",
            "sell",
            ("name",),
            {"type": "tag", "name": ""},
        ),
        Kind(
            "occurrence",
            "First or last time",
            "When something happened first or last",
            "flag",
            ("which", *_HAPPENING, "has"),
            {"type": "occurrence", "which": "first", "name": "", "window": {"last": "30d"}},
        ),
        Kind(
            "sequence",
            "One after the other",
            "Did this and then that, or did not",
            "route",
            ("steps", "within", "window", "same"),
            {
                "type": "sequence",
                "steps": [{"name": ""}, {"name": "", "absent": True}],
                "within": "1h",
                "window": {"last": "7d"},
            },
        ),
        Kind(
            "consent",
            "Gave consent",
            "To a channel, a topic or both",
            "verified_user",
            ("channel", "topic", "state"),
            {"type": "consent", "channel": "email", "state": "opted_in"},
        ),
        Kind(
            "near",
            "Is near a place",
            "Within some kilometres",
            "place",
            ("attribute", "lat", "lon", "km"),
            {"type": "near", "attribute": "", "lat": 0, "lon": 0, "km": 25},
        ),
        Kind(
            "bucket",
            "Random share",
            "A share of all profiles that stays the same",
            "casino",
            ("salt", "from", "to"),
            {"type": "bucket", "salt": "test", "from": 0, "to": 50},
        ),
        Kind(
            "all",
            "All of a group",
            "Every condition in it holds",
            "join_inner",
            ("of",),
            {"type": "all", "of": []},
            is_leaf=False,
        ),
        Kind(
            "any",
            "Any of a group",
            "At least one condition in it holds",
            "join_full",
            ("of",),
            {"type": "any", "of": []},
            is_leaf=False,
        ),
    )
}
LEAVES = tuple(kind for kind in KINDS.values() if kind.is_leaf)


def new(kind: str) -> Json:
    return deepcopy(KINDS[kind].start)


def changed(node: Json, kind: str) -> Json:
    """The node as another kind, with the fields that both have."""
    old = KINDS.get(str(node.get("type")))
    common = set(KINDS[kind].fields) & set(old.fields if old else ())
    if {"name", "names"} & common and not {node.get("type"), kind} <= {"event", "occurrence"}:
        common -= {"name", "names"}  # the name of an event is none of an attribute or a tag
    kept = fields(node, sorted(common))
    start = new(kind)
    if "names" in kept:
        start.pop("name", None)
    if "window" in common and "window" not in node:
        start.pop("window", None)  # ever stays ever
    return {**start, **kept}
