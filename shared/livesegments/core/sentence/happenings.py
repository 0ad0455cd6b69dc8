"""Events as something that a profile did: `order_placed` is `placed an order`; as a noun, `orders placed`.

That works for names of the form OBJECT VERB, as most systems have them, whose verb is one that people do. Any
other name is shown in quotes: `had the event “email_bounced”`.
"""

from __future__ import annotations

import re
from typing import Any

from livesegments.core.sentence import text

_WORDS = re.compile(r"[a-z]+", re.IGNORECASE | re.ASCII)
_NAME = re.compile(r"[A-Za-z]+(?:[ _-][A-Za-z]+){1,3}", re.ASCII)
_DONE = frozenset(
    """
    abandoned accepted added answered asked booked bought browsed cancelled canceled changed chosen
    clicked closed completed confirmed connected created deleted downloaded edited entered filled
    finished followed installed invited joined liked listened made moved opened ordered paid placed
    played posted published purchased rated read redeemed removed renewed requested reserved
    returned reviewed saved scanned searched selected shared skipped started submitted tried updated
    upgraded uploaded used viewed visited watched written
    """.split()  # noqa: SIM905
)
"""What somebody does to something, in the past. `delivered` or `expired` happen to a profile instead."""
_PAST = {"chosen": "chose", "written": "wrote"}
_ALONE = {
    "signed up": ("signed up", "sign-ups"),
    "signed in": ("signed in", "sign-ins"),
    "signed out": ("signed out", "sign-outs"),
    "logged in": ("logged in", "log-ins"),
    "logged out": ("logged out", "log-outs"),
}
_DERIVED = {
    "$attribute_changed": ("had an attribute changed", "changes of attributes"),
    "$tag_added": ("got a tag", "tags added"),
    "$tag_removed": ("lost a tag", "tags removed"),
    "$consent_changed": ("had a consent changed", "changes of consent"),
    "$segment_entered": ("entered a segment", "entries into segments"),
    "$segment_exited": ("left a segment", "exits from segments"),
}


def did(node: dict[str, Any]) -> str:
    """What the profile did, any of several things."""
    return text.items([_both(each)[0] for each in _called(node)], "or")


def noun(node: dict[str, Any]) -> str:
    """The events themselves, in the plural."""
    return text.items([_both(each)[1] for each in _called(node)], "and")


def several(node: dict[str, Any]) -> bool:
    return len(_called(node)) > 1


def _called(node: dict[str, Any]) -> list[Any]:
    names = node.get("names")
    return names if isinstance(names, list) and names else [node.get("name")]


def _both(name: Any) -> tuple[str, str]:
    if not isinstance(name, str) or not name:
        return f"had the event {text.MISSING}", f"events {text.MISSING}"
    if name in _DERIVED:
        return _DERIVED[name]
    if len(name) <= text.MOST_TEXT and _NAME.fullmatch(name):
        words = [word.lower() for word in _WORDS.findall(name)]
        if (alone := _ALONE.get(" ".join(words))) is not None:
            return alone
        if words[-1] in _DONE:
            thing, verb = " ".join(words[:-1]), words[-1]
            return f"{_PAST.get(verb, verb)} {_article(thing)} {thing}", f"{_plural(thing)} {verb}"
    return f"had the event {text.quoted(name)}", f"{text.quoted(name)} events"


def _article(thing: str) -> str:
    return "an" if thing[0] in "aeiou" and not thing.startswith(("user", "uni", "eu", "one")) else "a"


def _plural(thing: str) -> str:
    if thing.endswith("y") and thing[-2:-1] not in "aeiou":
        return thing[:-1] + "ies"
    return thing + ("es" if thing.endswith(("s", "x", "ch", "sh")) else "s")
