"""An op and its operand: `is at least 18`. For attributes, and for the properties of events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from livesegments.console.builder import operands, seen, values, windows
from livesegments.console.builder.operands import operand
from livesegments.console.builder.view import inputs
from livesegments.console.builder.view.context import Place
from livesegments.console.parts.tag import Tag
from livesegments.core.words import FOLDABLE, LISTED_OPS, POSITIVE, PRESENCE_OPS

_MISSING = {"": "as usual", "yes": "it holds", "no": "it does not hold"}


def form(
    place: Place, ops: dict[str, str], path: seen.Path, offers: inputs.Offers, ahead: bool = True
) -> None:
    """`ahead`: dates may lie ahead, so periods that are to come are offered."""
    node = place.node
    op = node.get("op")

    def turn(to: str) -> None:
        place.become(operands.with_op(place.node, to), reshaped=True)

    inputs.select("Comparison", op if isinstance(op, str) else "", ops, turn)
    _operand(place, path.types, offers, ahead)
    if op in PRESENCE_OPS:
        return
    with (
        inputs.more("More", "when_missing" in node or "ignore_case" in node, "wide"),
        Tag("div", "", "fields"),
    ):
        _rest(place)


def _rest(place: Place) -> None:
    node = place.node
    op, missing = node.get("op"), node.get("when_missing")

    def without_value(to: str) -> None:
        if to:
            place.field("when_missing", to == "yes")
        else:
            place.without("when_missing")

    usual = "it holds" if op in POSITIVE else "it does not hold"
    now = "" if missing is None else values.shown(missing)
    options = {**_MISSING, "": f"as usual: {usual}"}
    inputs.select("Where there is no such value", now, options, without_value)
    if op in LISTED_OPS:
        _value_list(place)
    if op in FOLDABLE:

        def fold(yes: bool) -> None:
            if yes:
                place.field("ignore_case", True)
            else:
                place.without("ignore_case")

        inputs.check("Upper and lower case are the same", node.get("ignore_case") is True, fold)


def _value_list(place: Place) -> None:
    listed = place.node.get("value_list")
    options = {"": "none: the values stand here", **dict.fromkeys(place.seen.value_lists, "")}
    options = {id_: said or id_ for id_, said in options.items()}

    def name(to: str) -> None:
        node = {field: each for field, each in place.node.items() if field not in ("value", "value_list")}
        place.become({**node, **({"value_list": to} if to else {"value": []})}, reshaped=True)

    inputs.select("A value list", listed if isinstance(listed, str) else "", options, name)


def _operand(place: Place, types: Sequence[str], offers: inputs.Offers, ahead: bool) -> None:
    node = place.node
    if "value_list" in node:
        Tag("p", f"of the value list {values.shown(node['value_list'])}", "said")
        return
    value = place.at("value")
    match operand(node.get("op")):
        case "scalar" | "ordered":
            _scalar(place, types, offers)
        case "scalars":
            _scalars(value, types, offers, node.get("value"))
        case "pair":
            _pair(value, types, node.get("value"))
        case "text":
            text = values.shown(node.get("value"))
            inputs.line("Text", text, value.become, offers)
        case "pattern":
            text = values.shown(node.get("value"))
            inputs.line("Pattern", text, value.become, hint="A regular expression (RE2)")
        case "date":
            date(value, "Date")
        case "duration":
            duration(value, "How long")
        case "period":
            period(value, ahead)
        case "days" | "months" as unit:
            _numbers(value, unit)


def _scalar(place: Place, types: Sequence[str], offers: inputs.Offers) -> None:
    """Its sort is that of the value; of an empty one, that of what was seen. An empty field is no value
    yet."""
    now = place.node.get("value")
    kind = values.sort_of_types(types) if now in ("", None) else values.sort(now)
    sort = {"kind": kind}

    def change(to: str) -> None:
        if to:
            place.field("value", values.typed(to, sort["kind"]))
        else:
            place.without("value")

    with Tag("div", "", "value"):
        if kind == "yes_no":
            inputs.select("Value", values.shown(now), {"yes": "yes", "no": "no"}, change)
        else:
            inputs.line(
                "Value",
                values.shown(now),
                change,
                offers,
                inputmode="decimal" if kind == "number" else None,
            )

        def turn(to: str) -> None:
            wanted: values.Sort = "number" if to == "number" else "yes_no" if to == "yes_no" else "text"
            sort["kind"] = wanted
            if wanted != "yes_no" and "value" not in place.node:
                return  # the field stays, and reads what is typed as that
            place.field("value", values.cast(place.node.get("value"), wanted), reshaped=True)

        inputs.select("Value is a", kind, dict(values.SORTS.items()), turn, classes="kind")


def _scalars(place: Place, types: Sequence[str], offers: inputs.Offers, now: Any) -> None:
    several = now if isinstance(now, list) else []
    kind = values.sort(several[0]) if several else values.sort_of_types(types)
    shown = [values.shown(each) for each in several]
    known = dict(zip(shown, several, strict=True))

    def change(to: list[str]) -> None:
        place.become([known.get(each, values.typed(each, kind)) for each in dict.fromkeys(to)], reshaped=True)

    inputs.chips("Values", shown, change, offers, "Type one, then Enter", "wide")


def _pair(place: Place, types: Sequence[str], now: Any) -> None:
    pair = now if isinstance(now, list) and len(now) == 2 else ["", ""]
    first = pair[0]
    kind = (
        values.sort_of_types(types)
        if first == "" and types
        else values.sort(first)
        if first != ""
        else "number"
    )

    def change(index: int) -> inputs.Changed:
        def changed(to: str) -> None:
            value = place.value
            both = list(value) if isinstance(value, list) and len(value) == 2 else ["", ""]
            both[index] = values.typed(to, kind)
            place.become(both)

        return changed

    inputs.line("From", values.shown(pair[0]), change(0))
    inputs.line("To (included)", values.shown(pair[1]), change(1))


def date(place: Place, text: str, hint: str = "") -> None:
    """A day by the browser's calendar; with a time, as it is written."""
    try:
        value = values.shown(place.value)
    except LookupError:
        value = ""
    is_day = not value or (len(value) == 10 and value[4] == value[7] == "-")
    with Tag("div", "", "value"):
        inputs.line(
            text, value, place.become, kind="date" if is_day else "text",
            hint=hint if is_day else "2024-07-01T10:30, in the workspace's zone; or with +02:00",
        )  # fmt: skip


def duration(place: Place, text: str) -> None:
    """A number and a unit."""
    try:
        count, unit = values.duration(place.value)
    except LookupError:
        count, unit = "", "d"
    now = {"count": count, "unit": unit}

    def change(**to: str) -> None:
        now.update(to)
        place.become(values.spelled(now["count"], now["unit"]))

    with Tag("div", "", "value"):
        inputs.line(text, count, lambda to: change(count=to), inputmode="numeric", size=5)
        inputs.select("Unit", unit, values.UNITS, lambda to: change(unit=to), classes="kind")


def period(place: Place, ahead: bool, text: str = "Period") -> None:
    """A calendar period by name, or by numbers from now."""
    value = place.node
    now = windows.preset(value, ahead)
    presets = windows.presets(ahead)

    def choose(to: str) -> None:
        place.become(
            dict(presets[to][1]) if to in presets else {"period": "day", "from": -7, "to": 0}, reshaped=True
        )

    options = {name: said for name, (said, _) in presets.items()} | {windows.OTHER: "other…"}
    inputs.select(text, now, options, choose)
    if now == windows.OTHER:
        unit = values.shown(value.get("period"))
        inputs.select("Counted in", unit, windows.PERIODS, lambda to: place.field("period", to))
        _numbers(place, "", "From", "To")


def _numbers(place: Place, unit: str, first: str = "", last: str = "") -> None:
    """`from` and `to`, counted from now: −1 is the one before."""
    said = f" ({unit} from now)" if unit else " (0 is this one, −1 the one before)"
    for name, text in (("from", first or "From"), ("to", last or "To")):

        def change(to: str, name: str = name) -> None:
            place.field(name, values.number(to.replace("−", "-")))

        value = values.shown(place.node.get(name, 0))
        inputs.line(f"{text}{said}", value, change, inputmode="numeric")
