"""Smart segments: conditions that many shops ask about, with parameters. Pure.

Example: `lapsed` is "has ordered, and not in the last 180 days"; the event's name and the 180 days are
parameters. In a definition `{"parameter": "quiet"}` stands for the value of one.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from livesegments.core.fault import Faults, join, kind_name

Kind = Literal["name", "duration", "number"]
ORDER = "Order Completed"
MAX_TEXT = 200


class Parameter(Struct, frozen=True):
    """`kind`: the name of an event, an attribute or a property; a duration (`30d`); or a number."""

    name: str
    kind: Kind
    default: str | int
    description: str


class Template(Struct, frozen=True):
    id: str
    name: str
    description: str
    parameters: tuple[Parameter, ...]
    definition: dict[str, Any]


def given(template: Template, values: dict[str, Any], faults: Faults) -> dict[str, Any]:
    """The definition with these values, and the defaults for the others; what is wrong with them is a
    fault."""
    known = {each.name: each for each in template.parameters}
    for name, value in values.items():
        at = join("/parameters", name)
        if name not in known:
            faults.add(at, "unknown_field", f"is none of {', '.join(known)}")
        elif known[name].kind == "number":
            if isinstance(value, bool) or not isinstance(value, int | float):
                faults.add(at, "wrong_type", f"must be a number, not {kind_name(value)}")
        elif not isinstance(value, str):
            faults.add(at, "wrong_type", f"must be a string, not {kind_name(value)}")
        elif not 0 < len(value) <= MAX_TEXT:
            faults.add(at, "too_long" if value else "empty", f"must have 1 to {MAX_TEXT} characters")
    defaults: dict[str, Any] = {each.name: each.default for each in template.parameters}
    return {name: _filled(part, defaults | values) for name, part in template.definition.items()}


def _filled(part: Any, values: dict[str, Any]) -> Any:
    if isinstance(part, list):
        return [_filled(each, values) for each in part]
    if not isinstance(part, dict):
        return part
    if part.keys() == {"parameter"}:
        return values[part["parameter"]]
    return {name: _filled(each, values) for name, each in part.items()}


def _p(name: str) -> dict[str, str]:
    return {"parameter": name}


def _event(name: str, last: str | None = None, **more: Any) -> dict[str, Any]:
    window = {} if last is None else {"window": {"last": _p(last)}}
    return {"type": "event", "name": _p(name), **window, **more}


def _all(*of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "all", "of": list(of)}


_ORDER = Parameter("order", "name", ORDER, "The event of an order.")
_TOTAL = Parameter("total", "name", "total", "The property of an order that says what it cost.")
_OPENED = Parameter("opened", "name", "Email Opened", "The event of an e-mail that was opened.")
_SUM = {"of": "sum", "property": _p("total")}


def _amount(default: int) -> Parameter:
    return Parameter("amount", "number", default, "What was spent at least.")


def _within(default: str, what: str) -> Parameter:
    return Parameter("within", "duration", default, what)


TEMPLATES: dict[str, Template] = {
    each.id: each
    for each in (
        Template(
            "new",
            "New",
            "Signed up for the first time not long ago.",
            (
                Parameter("signed_up", "name", "Signed Up", "The event of signing up."),
                _within("30d", "How long somebody is new."),
            ),
            {
                "type": "occurrence",
                "which": "first",
                "name": _p("signed_up"),
                "window": {"last": _p("within")},
            },
        ),
        Template(
            "active",
            "Active",
            "Was there lately, and more than once.",
            (
                Parameter("visit", "name", "Page Viewed", "The event that shows that somebody is there."),
                Parameter("times", "number", 3, "How often at least."),
                _within("30d", "In how long a time."),
            ),
            _event("visit", "within", op="gte", value=_p("times")),
        ),
        Template(
            "vip",
            "VIP",
            "Orders often, and spends much.",
            (
                _ORDER,
                _TOTAL,
                Parameter("times", "number", 5, "How many orders at least."),
                _amount(500),
                _within("1y", "In how long a time."),
            ),
            _all(
                _event("order", "within", op="gte", value=_p("times")),
                _event("order", "within", measure=_SUM, op="gte", value=_p("amount")),
            ),
        ),
        Template(
            "at-risk",
            "At risk",
            "Has ordered several times, and is quiet for longer than usual, but not lost yet.",
            (
                _ORDER,
                Parameter("times", "number", 2, "How many orders at least, ever."),
                Parameter("quiet", "duration", "60d", "For how long there was no order."),
                Parameter("lost", "duration", "180d", "After how long somebody is lost."),
            ),
            _all(
                _event("order", op="gte", value=_p("times")),
                _event("order", "quiet", op="eq", value=0),
                _event("order", "lost", op="gte", value=1),
            ),
        ),
        Template(
            "lapsed",
            "Lapsed",
            "Has ordered, but not for a long time.",
            (_ORDER, Parameter("quiet", "duration", "180d", "For how long there was no order.")),
            _all(_event("order"), _event("order", "quiet", op="eq", value=0)),
        ),
        Template(
            "never-bought",
            "Never bought",
            "Is known, and has never ordered.",
            (_ORDER,),
            _event("order", op="eq", value=0),
        ),
        Template(
            "cart-abandoners",
            "Cart abandoners",
            "Put something into the cart, and did not order in time.",
            (
                Parameter("cart", "name", "Product Added", "The event of something put into the cart."),
                _ORDER,
                Parameter("wait", "duration", "4h", "How long an order may take."),
                _within("7d", "How long somebody stays in the segment."),
            ),
            {
                "type": "sequence",
                "window": {"last": _p("within")},
                "within": _p("wait"),
                "steps": [{"name": _p("cart")}, {"name": _p("order"), "absent": True}],
            },
        ),
        Template(
            "engaged-openers",
            "Engaged openers",
            "Opens e-mails often.",
            (
                _OPENED,
                Parameter("times", "number", 3, "How many were opened at least."),
                _within("30d", "In how long a time."),
            ),
            _event("opened", "within", op="gte", value=_p("times")),
        ),
        Template(
            "unengaged-openers",
            "Unengaged openers",
            "Is sent e-mails, and opens none.",
            (
                Parameter("delivered", "name", "Email Delivered", "The event of an e-mail that arrived."),
                _OPENED,
                Parameter("times", "number", 5, "How many arrived at least."),
                _within("90d", "In how long a time."),
            ),
            _all(
                _event("delivered", "within", op="gte", value=_p("times")),
                _event("opened", "within", op="eq", value=0),
            ),
        ),
        Template(
            "birthday-soon",
            "Birthday soon",
            "Has a birthday today or soon.",
            (
                Parameter("birthday", "name", "birthday", "The attribute with the date of birth."),
                _within("7d", "How far ahead."),
            ),
            {
                "type": "attribute",
                "name": _p("birthday"),
                "op": "anniversary_in_next",
                "value": _p("within"),
            },
        ),
        Template(
            "big-spenders",
            "Big spenders",
            "Has spent much.",
            (_ORDER, _TOTAL, _amount(500), _within("1y", "In how long a time.")),
            _event("order", "within", measure=_SUM, op="gte", value=_p("amount")),
        ),
        Template(
            "one-time-buyers",
            "One-time buyers",
            "Has ordered exactly once, ever.",
            (_ORDER,),
            _event("order", op="eq", value=1),
        ),
    )
}
