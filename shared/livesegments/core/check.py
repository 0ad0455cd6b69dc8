"""Every fault of a definition, at once.

`check` walks the JSON as it came, because msgspec stops at the first fault; only a definition without
any is converted to nodes. docs/conditions.md has the rules, bounds included.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from livesegments.core import check_declared as fields
from livesegments.core import check_value as values
from livesegments.core.check_where import Where, path
from livesegments.core.circle import Dependents, Others, circle_of
from livesegments.core.computed import asking, ops
from livesegments.core.declared import Declarations
from livesegments.core.definition import Computed, Node
from livesegments.core.event import (
    ATTRIBUTE_CHANGED,
    CONSENT_CHANGED,
    SEGMENT_ENTERED,
    SEGMENT_EXITED,
    TAG_ADDED,
    TAG_REMOVED,
)
from livesegments.core.fault import Fault, Faults, join, shown
from livesegments.core.json_keys import repeated
from livesegments.core.kind import MAX_COUNT
from livesegments.core.levels import MAX_LEVELS, levels_of
from livesegments.core.pattern import Patterns
from livesegments.core.value import kind
from livesegments.core.value_list import referring
from livesegments.core.weeks import with_weeks
from livesegments.core.words import MEASURE_OPS, MEASURES, OPS, WHOLE, Sort

MAX_BYTES = 64 * 1024
MAX_DEPTH = 10
MAX_NODES = 200
MAX_CHILDREN = 100
MAX_NAMES = 20
DERIVED = (ATTRIBUTE_CHANGED, TAG_ADDED, TAG_REMOVED, CONSENT_CHANGED, SEGMENT_ENTERED, SEGMENT_EXITED)
OTHER_NODES = {
    "tags": '{"type": "tag", "name": …}',
    "consent": '{"type": "consent", "channel": …, "state": …}',
    "lists": '{"type": "segment", "id": …}',
}
"""Parts of a profile that are not attributes: the node that asks for them."""


def check_json(
    data: bytes, *, timezone: str = "UTC", others: Others | None = None, segment_id: str | None = None
) -> tuple[Node | None, list[Fault]]:
    """`check` of bytes: also their length, that they are JSON, and that no key stands twice."""
    if len(data) > MAX_BYTES:
        return None, [Fault("", "too_long", f"{len(data)} bytes; at most {MAX_BYTES} are allowed")]
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return None, [Fault("", "bad_json", f"is not JSON: {error}")]
    twice = repeated(data, document)
    if twice is not None:
        return None, [twice]
    return check(document, timezone=timezone, others=others, segment_id=segment_id)


def check(
    document: object,
    *,
    timezone: str = "UTC",
    others: Others | None = None,
    segment_id: str | None = None,
    dependents: Dependents | None = None,
    lists: Mapping[str, str] | None = None,
    computed: Mapping[str, Computed] | None = None,
    week_start: str = "monday",
    declared: Declarations | None = None,
) -> tuple[Node | None, list[Fault]]:
    """The node and no faults, or None and every fault.

    `timezone` is the workspace's, for bare dates. `others`: the workspace's other segments (None for a
    static one); given, a reference to a segment that is none of them is a fault, and so is a cycle
    through them. `segment_id` is the segment that the definition is for, if it has an id yet. `dependents`
    of the others make looking for a cycle cost what depends on the segment, not what it depends on. `lists`:
    the workspace's value lists, id → digest; given, the node has their digests (module `value_list`).
    `computed`: its computed attributes by id; given, the node has their measures (module `computed`).
    `declared`: the types of its attributes, which the conditions must fit.
    `week_start`: `sunday` where the workspace says so; then the weeks of the node are Sunday's.
    """
    faults = Faults()
    checker = Checker(faults, ZoneInfo(timezone), others, segment_id, lists, computed, declared)
    checker.node(document, "", 1)
    if checker.nodes > MAX_NODES:
        faults.add("", "too_many_nodes", f"has more than {MAX_NODES} nodes, the most that is allowed")
    if faults.found:
        return None, faults.found
    node = asking(msgspec.convert(with_weeks(document, week_start), Node), computed or {})
    if others is not None:
        circle = circle_of(node, others, segment_id, dependents)
        if circle:
            told = " → ".join(shown(name) if name else "this new one" for name in circle)
            return None, [Fault("", "cycle", f"segments depend on each other in a circle: {told}")]
        levels = levels_of(node, others, segment_id, dependents)
        if levels > MAX_LEVELS:
            told = (
                f"segments would refer to each other over {levels} levels; at most {MAX_LEVELS} are allowed"
            )
            return None, [Fault("", "too_deep", told)]
    return (node if lists is None else referring(node, lists)), []


class Checker:
    """One walk over one document."""

    def __init__(
        self,
        faults: Faults,
        zone: tzinfo,
        others: Others | None,
        segment_id: str | None,
        lists: Collection[str] | None = None,
        computed: Mapping[str, Computed] | None = None,
        declared: Declarations | None = None,
    ) -> None:
        self._declared = declared or {}
        self.nodes = 0
        self._computed = computed
        self._faults = faults
        self._zone = zone
        self._patterns = Patterns()
        self._where = Where(faults, zone, self._patterns, lists)
        self._others = others
        self._lists = lists
        self._segment_id = segment_id
        self._kinds: dict[str, Callable[[dict[str, Any], str, int], None]] = {
            "all": self._children,
            "any": self._children,
            "not": self._not,
            "attribute": self._attribute,
            "event": self._event,
            "occurrence": self._occurrence,
            "sequence": self._sequence,
            "segment": self._segment,
            "tag": self._tag,
            "consent": self._consent,
            "near": self._near,
            "bucket": self._bucket,
        }

    def node(self, value: Any, at: str, depth: int) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            return
        if depth > MAX_DEPTH:
            self._faults.add(at, "too_deep", f"is nested deeper than {MAX_DEPTH} nodes")
            return
        if not isinstance(value, dict):
            self._faults.object(value, at, ())
            return
        if "type" not in value:
            self._faults.add(at, "missing_field", f"the field 'type' is missing: {', '.join(self._kinds)}")
            return
        sort = self._faults.choice(value["type"], join(at, "type"), self._kinds)
        if sort is not None:
            self._kinds[sort](value, at, depth)

    def _fields(self, value: Any, at: str, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
        self._faults.object(value, at, ("type", *required, *optional), required)

    def _children(self, value: dict[str, Any], at: str, depth: int) -> None:
        self._fields(value, at, ("of",))
        if "of" in value:
            children = self._faults.items(value["of"], join(at, "of"), 1, MAX_CHILDREN)
            for index, child in enumerate(children or []):
                self.node(child, join(join(at, "of"), index), depth + 1)

    def _not(self, value: dict[str, Any], at: str, depth: int) -> None:
        self._fields(value, at, ("of",))
        if "of" in value:
            self.node(value["of"], join(at, "of"), depth + 1)

    def _attribute(self, value: dict[str, Any], at: str, depth: int) -> None:
        self._fields(value, at, ("name", "op"), ("value", "value_list", "when_missing", "ignore_case"))
        if "name" in value:
            self._attribute_name(value["name"], join(at, "name"))
        asked = values.asked(self._faults, value, at, self._computed)
        known = OPS if asked is None else ops(asked.measure)
        before = len(self._faults.found)
        values.comparison(self._faults, value, at, known, self._zone, self._patterns, self._lists)
        type_ = self._declared.get(value["name"]) if isinstance(value.get("name"), str) else None
        if type_ is not None and len(self._faults.found) == before and isinstance(value.get("op"), str):
            fields.condition(self._faults, value, at, type_)

    def _attribute_name(self, value: Any, at: str) -> None:
        name = self._faults.name(value, at)
        node = OTHER_NODES.get(name) if name is not None else None
        if node is not None:
            self._faults.add(at, "wrong_node", f"{name!r} is no attribute; ask for it with {node}")

    def _event(self, value: dict[str, Any], at: str, depth: int) -> None:
        self._fields(value, at, (), ("name", "names", "where", "window", "measure", "op", "value"))
        self.happening(value, at)
        values.window(self._faults, value.get("window"), join(at, "window"), self._zone)
        if "measure" in value:
            self.measure(value["measure"], join(at, "measure"))
        op = self._faults.choice(value.get("op", "gte"), join(at, "op"), MEASURE_OPS)
        if op is not None:
            self._threshold(value, op, at)

    def _threshold(self, value: dict[str, Any], op: str, at: str) -> None:
        threshold, where = value.get("value", 1), join(at, "value")
        if op == "between":
            values.between(self._faults, threshold, where)
            numbers = threshold if isinstance(threshold, list) else []
        else:
            values.scalar(self._faults, threshold, where)
            numbers = [threshold]
        if any(kind(number) in ("string", "boolean") for number in numbers):
            self._faults.add(where, "wrong_type", "a measure is compared with numbers only")
        measure = value.get("measure")
        counted = measure.get("of", "count") if isinstance(measure, dict) else "count"
        window = value.get("window")
        kept = isinstance(window, dict) and ("last" in window or "period" in window)
        if (
            isinstance(counted, str)
            and counted in WHOLE
            and (counted != "count" or kept)
            and any(kind(number) == "number" and number > MAX_COUNT for number in numbers)
        ):
            self._faults.add(where, "out_of_range", f"at most {MAX_COUNT} are counted here")

    def measure(self, value: Any, at: str, known: Mapping[str, Sort] = MEASURES) -> None:
        node = self._faults.object(value, at, ("of", "property"))
        if node is None:
            return
        of = self._faults.choice(node.get("of", "count"), join(at, "of"), known)
        if of is not None and not known[of].property:
            if node.get("property") is not None:
                self._faults.add(join(at, "property"), "no_meaning", f"{of!r} is of events: no property")
        elif of is not None and "property" not in node:
            self._faults.add(at, "missing_field", f"the field 'property' is missing: {of!r} of what?")
        elif of is not None:
            path(self._faults, node["property"], join(at, "property"))

    def happening(self, value: dict[str, Any], at: str) -> None:
        """The name and the filters of an event."""
        names = self._names(value, at)
        if "where" not in value:
            return
        filters = self._filters(value["where"], join(at, "where"))
        if SEGMENT_ENTERED in names or SEGMENT_EXITED in names:
            self._named_segments(filters, join(at, "where"))

    def _names(self, value: dict[str, Any], at: str) -> list[str]:
        """One name, or several that are counted together."""
        if "names" not in value:
            if "name" not in value:
                self._faults.add(at, "missing_field", "the field 'name', or 'names', is missing")
                return []
            given = [(value["name"], join(at, "name"))]
        else:
            if "name" in value:
                self._faults.add(at, "conflict", "an event has either 'name' or 'names'")
            listed = self._faults.items(value["names"], join(at, "names"), 2, MAX_NAMES) or []
            given = [(each, join(join(at, "names"), index)) for index, each in enumerate(listed)]
        found = []
        for each, where in given:
            name = self._faults.name(each, where)
            if name is not None and name.startswith("$") and name not in DERIVED:
                told = ", ".join(DERIVED)
                self._faults.add(where, "reserved_name", f"of the names with $ there are only {told}")
            elif name is not None:
                found.append(name)
        return found

    def _filters(self, value: Any, at: str) -> list[Any]:
        return self._where.filters(value, at)

    def _named_segments(self, filters: list[Any], at: str) -> None:
        for index, item in enumerate(filters):
            if (
                isinstance(item, dict)
                and item.get("property") == "segment"
                and item.get("op") in ("eq", "in")
            ):
                operand = item.get("value")
                for name in operand if isinstance(operand, list) else [operand]:
                    if isinstance(name, str):
                        self._known(name, join(join(at, index), "value"))

    def _occurrence(self, value: dict[str, Any], at: str, depth: int) -> None:
        self._fields(value, at, ("which",), ("name", "names", "where", "has", "window"))
        if "which" in value:
            self._faults.choice(value["which"], join(at, "which"), ("first", "last"))
        self.happening(value, at)
        if "has" in value:
            self._filters(value["has"], join(at, "has"))
        values.window(self._faults, value.get("window"), join(at, "window"), self._zone)

    def _sequence(self, value: dict[str, Any], at: str, depth: int) -> None:
        self._fields(value, at, ("steps", "within"), ("window", "same"))
        if value.get("same") is not None:
            path(self._faults, value["same"], join(at, "same"))
        if "within" in value:
            values.duration(self._faults, value["within"], join(at, "within"), values.MAX_WITHIN_MS, "90d")
        values.window(self._faults, value.get("window"), join(at, "window"), self._zone)
        steps = self._faults.items(value["steps"], join(at, "steps"), 2, 5) if "steps" in value else None
        for index, step in enumerate(steps or []):
            where = join(join(at, "steps"), index)
            node = self._faults.object(step, where, ("name", "names", "where", "absent"))
            if node is None:
                continue
            self.happening(node, where)
            absent = self._faults.flag(node.get("absent", False), join(where, "absent"))
            if absent and steps is not None and index < len(steps) - 1:
                self._faults.add(join(where, "absent"), "not_last", "only the last step may be absent")

    def _segment(self, value: dict[str, Any], at: str, depth: int) -> None:
        self._fields(value, at, ("id",))
        name = self._faults.name(value["id"], join(at, "id")) if "id" in value else None
        if name is not None:
            self._known(name, join(at, "id"))

    def _known(self, segment: str, at: str) -> None:
        if self._others is not None and segment not in self._others and segment != self._segment_id:
            self._faults.add(at, "unknown_segment", f"there is no segment {shown(segment)} in this workspace")

    def _tag(self, value: dict[str, Any], at: str, depth: int) -> None:
        self._fields(value, at, (), ("name",))
        if value.get("name") is not None:
            self._faults.name(value["name"], join(at, "name"))

    def _consent(self, value: dict[str, Any], at: str, depth: int) -> None:
        self._fields(value, at, ("state",), ("channel", "topic"))
        if "state" in value:
            self._faults.choice(value["state"], join(at, "state"), ("opted_in", "opted_out", "none"))
        given = [name for name in ("channel", "topic") if value.get(name) is not None]
        for name in given:
            self._faults.name(value[name], join(at, name))
        if not given:
            self._faults.add(at, "missing_field", "needs 'channel', 'topic' or both")

    def _near(self, value: dict[str, Any], at: str, depth: int) -> None:
        self._fields(value, at, ("attribute", "lat", "lon", "km"))
        if "attribute" in value:
            self._attribute_name(value["attribute"], join(at, "attribute"))
            fields.nearness(self._faults, value["attribute"], join(at, "attribute"), self._declared)
        for name, least, most in (("lat", -90, 90), ("lon", -180, 180), ("km", 0, 20_038)):
            if name not in value:
                continue
            number = value[name]
            if kind(number) != "number":
                self._faults.add(join(at, name), "wrong_type", "must be a number")
            elif not least <= number <= most:
                self._faults.add(join(at, name), "out_of_range", f"must be between {least} and {most}")

    def _bucket(self, value: dict[str, Any], at: str, depth: int) -> None:
        self._fields(value, at, ("salt", "from", "to"))
        if "salt" in value:
            self._faults.name(value["salt"], join(at, "salt"))
        values.share(self._faults, value, at)
