"""The form of a condition: one function for every kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from livesegments.console.builder import operands, seen, values
from livesegments.console.builder.kinds import KINDS
from livesegments.console.builder.later import Later
from livesegments.console.builder.view import compare_form, happening_form, inputs, json_form, window_form
from livesegments.console.builder.view.context import Place
from livesegments.console.parts.button import button
from livesegments.console.parts.tag import Tag
from livesegments.core.words import MEASURES

COMPUTED = "computed:"
_MEASURES = {
    "count": "how often",
    "days": "on how many days",
    "weeks": "in how many weeks (from Monday)",
    "sunday_weeks": "in how many weeks (from Sunday)",
    "months": "in how many months",
    "sum": "the sum of a property",
    "avg": "the average of a property",
    "min": "the least of a property",
    "max": "the greatest of a property",
    "distinct": "how many different values of a property",
}
_STATES = {"opted_in": "has agreed", "opted_out": "has refused", "none": "has said nothing"}
_CHANNELS = ("email", "sms", "push", "whatsapp", "phone", "post")
MOST_STEPS = 5


def _event(place: Place) -> None:
    happening_form.names(place)
    happening_form.filters(place, "where", "Only such events…", place)
    window_form.form(place)
    _measure(place)


def _measure(place: Place) -> None:
    measure = place.node.get("measure")
    of = measure.get("of", "count") if isinstance(measure, dict) else "count"

    def turn(to: str) -> None:
        made: dict[str, Any] = {"of": to}
        if MEASURES[to].property:
            old = place.node.get("measure")
            made["property"] = old.get("property", "") if isinstance(old, dict) else ""
        if to == "count":
            place.without("measure", reshaped=True)
        else:
            place.field("measure", made, reshaped=True)

    inputs.select("Count", values.shown(of), _MEASURES, turn)
    if isinstance(measure, dict) and of in MEASURES and MEASURES[of].property:

        def offers(known: seen.Seen) -> dict[str, str]:
            return seen.described(known.properties(seen.called(place.node)))

        path = values.shown(measure.get("property"))
        inputs.line(
            "Property", path, lambda to: place.at("measure").field("property", to), place.offers(offers)
        )
    op = place.node.get("op", "gte")

    def compare(to: str) -> None:
        place.become(operands.with_amount(place.node, to), reshaped=True)

    inputs.select("Compared", values.shown(op), operands.AMOUNTS, compare)
    value = place.node.get("value", 1)
    if op == "between":
        pair = value if isinstance(value, list) and len(value) == 2 else [value, value]
        for index, text in enumerate(("From", "To (included)")):

            def change(to: str, index: int = index) -> None:
                now = place.node.get("value")
                both = list(now) if isinstance(now, list) and len(now) == 2 else list(pair)
                both[index] = values.number(to)
                place.field("value", both)

            inputs.line(text, values.shown(pair[index]), change, inputmode="decimal")
    else:
        inputs.line(
            "Number",
            values.shown(value),
            lambda to: place.field("value", values.number(to)),
            inputmode="decimal",
        )


def _attribute(place: Place) -> None:
    node = place.node
    name = values.shown(node.get("name"))
    having = Later()

    def offers(known: seen.Seen) -> dict[str, str]:
        return seen.described(known.attributes) | {f"{COMPUTED}{id_}": "computed" for id_ in known.computed}

    def offer_values(of: str) -> None:
        def come(found: dict[str, str]) -> bool:
            return place.node.get("name") == of and having.come(found)

        place.values(of).then(come)

    def rename(to: str) -> None:
        old = place.attribute(place.node.get("name"))
        is_known = to in offers(place.seen)
        is_other = place.attribute(to).types != old.types or to.startswith(COMPUTED)
        place.field("name", to, reshaped=is_known and is_other)
        if not is_known:
            having.come({})
        place.named(is_known)

    def named_meanwhile(_: dict[str, str]) -> bool:
        now = place.node.get("name")
        if field.is_deleted or not isinstance(now, str):
            return not field.is_deleted
        if place.attribute(now).types != path.types and now in offers(place.seen):
            place.reshape()
            return False
        offer_values(now)
        return having.is_heard

    names = place.offers(offers)
    path = place.attribute(name)
    field = inputs.line("Attribute", name, rename, names)
    if name.startswith(COMPUTED):
        given = place.seen.computed.get(name.removeprefix(COMPUTED))
        types = {"number": ("number",), "date": ("string",)}.get(given or "", ())
        compare_form.form(place, operands.fitting_computed(given, node.get("op")), seen.Path(types), ())
        return
    compare_form.form(place, operands.fitting(path.types, node.get("op")), path, having)
    names.then(named_meanwhile)


def _occurrence(place: Place) -> None:
    which = {"first": "for the first time", "last": "for the last time"}
    happening_form.names(place)
    inputs.select("Which", values.shown(place.node.get("which")), which, lambda to: place.field("which", to))
    happening_form.filters(place, "where", "Only such events…", place)
    window_form.form(place)
    happening_form.filters(place, "has", "And that one event has…", place)


def _sequence(place: Place) -> None:
    steps = place.node.get("steps")
    steps = steps if isinstance(steps, list) else []
    with Tag("ol", "", "wide steps"):
        for index in range(len(steps)):
            _step(place, index, len(steps))

    def add() -> None:
        now = list(place.node.get("steps") or [])
        at = len(now) - 1 if now and isinstance(now[-1], dict) and now[-1].get("absent") is True else len(now)
        place.field("steps", [*now[:at], {"name": ""}, *now[at:]], reshaped=True)

    if len(steps) < MOST_STEPS:
        button("Another step", add, "quiet", "add")
    compare_form.duration(place.at("within"), "All within")
    window_form.form(place, "The first of them")
    with inputs.more("More", "same" in place.node, "wide"):

        def shared(known: seen.Seen) -> dict[str, str]:
            now = place.node.get("steps")
            each_of = now if isinstance(now, list) else []
            return seen.described(known.properties(name for each in each_of for name in seen.called(each)))

        def share(to: str) -> None:
            if to:
                place.field("same", to)
            else:
                place.without("same")

        hint = "The same cart or product in all of them. Empty: any"
        inputs.line(
            "All with one value of",
            values.shown(place.node.get("same")),
            share,
            place.offers(shared),
            hint=hint,
        )


def _step(place: Place, index: int, many: int) -> None:
    at = place.at("steps", index)

    def take_away() -> None:
        rest = [each for number, each in enumerate(place.node.get("steps") or []) if number != index]
        place.field("steps", rest, reshaped=True)

    def absent(yes: bool) -> None:
        if yes:
            at.field("absent", True)
        else:
            at.without("absent")

    with Tag("li", "", "step", aria_label=f"Step {index + 1}"), Tag("div", "", "fields"):
        happening_form.names(at, f"Step {index + 1}")
        happening_form.filters(at, "where", "Only such events…", at)
        if index == many - 1 and many > 1:
            inputs.check("This must not happen", at.node.get("absent") is True, absent)
        if many > 2:
            button("", take_away, "quiet", "close", f"Take step {index + 1} away")


def _segment(place: Place) -> None:
    """Chosen by its name or its id, which the field has afterwards; the name stands below."""

    def rename(to: str) -> None:
        place.field("id", to)
        place.seek(to)
        say(place.seen.segments)

    def say(known: dict[str, str]) -> bool:
        if said.is_deleted:
            return False
        name = known.get(values.shown(place.node.get("id")), "")
        if said.text != name:
            said.text = name
        return True

    names = place.offers(lambda known: known.segments)
    with inputs.label("Segment"):
        inputs.bare("Segment", values.shown(place.node.get("id")), rename, names, labelled=True)
        said = Tag("span", "", "hint break")
    names.then(say)


def _tag(place: Place) -> None:
    name = place.node.get("name")

    def any_tag(yes: bool) -> None:
        if yes:
            place.without("name", reshaped=True)
        else:
            place.field("name", "", reshaped=True)

    if "name" in place.node:
        inputs.line("Tag", values.shown(name), lambda to: place.field("name", to))
    inputs.check("Any tag at all", "name" not in place.node, any_tag)


def _consent(place: Place) -> None:
    def to_field(name: str) -> inputs.Changed:
        def changed(to: str) -> None:
            if to:
                place.field(name, to)
            else:
                place.without(name)

        return changed

    node = place.node
    state = values.shown(node.get("state"))
    inputs.select("Consent", state, _STATES, lambda to: place.field("state", to))
    inputs.line(
        "To the channel",
        values.shown(node.get("channel")),
        to_field("channel"),
        _CHANNELS,
        hint="Empty: no channel",
    )
    inputs.line(
        "To the topic",
        values.shown(node.get("topic")),
        to_field("topic"),
        place.seen.topics,
        hint="Empty: no topic",
    )


def _numbers(place: Place, *fields: tuple[str, str]) -> None:
    for name, text in fields:

        def change(to: str, name: str = name) -> None:
            place.field(name, values.number(to))

        inputs.line(text, values.shown(place.node.get(name)), change, inputmode="decimal")


def _near(place: Place) -> None:
    points = [name for name, path in place.seen.attributes.items() if "point" in path.types]
    name = values.shown(place.node.get("attribute"))
    inputs.line("Attribute with the place", name, lambda to: place.field("attribute", to), points)
    _numbers(place, ("lat", "Latitude"), ("lon", "Longitude"), ("km", "At most so many kilometres away"))


def _bucket(place: Place) -> None:
    hint = "Shares of one name that don't overlap have no profile in common"
    salt = values.shown(place.node.get("salt"))
    inputs.line("Name of the draw", salt, lambda to: place.field("salt", to), hint=hint)
    _numbers(place, ("from", "From %"), ("to", "To %"))


FORMS: dict[str, Callable[[Place], None]] = {
    "event": _event,
    "attribute": _attribute,
    "segment": _segment,
    "tag": _tag,
    "occurrence": _occurrence,
    "sequence": _sequence,
    "consent": _consent,
    "near": _near,
    "bucket": _bucket,
}


def form(place: Place, kind: str) -> None:
    """A condition that has no form is edited as JSON. So is one with fields that its form doesn't know."""
    with Tag("div", "", "fields"):
        if kind in FORMS:
            FORMS[kind](place)
        if kind not in FORMS or place.node.keys() - {"type", *KINDS[kind].fields}:
            json_form.form(place, "Condition")
