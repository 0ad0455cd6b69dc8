"""Faults of a definition, collected: the place, a code, and a sentence that says what would be right."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
from msgspec import Struct

from livesegments.core import ids


class Fault(Struct, frozen=True):
    """`pointer` is a JSON pointer (RFC 6901) into the definition; `code` is stable, `message` for people."""

    pointer: str
    code: str
    message: str


class Faults:
    """Collects faults; the readers return what they read, or None once a fault is noted."""

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def add(self, pointer: str, code: str, message: str) -> None:
        self.found.append(Fault(pointer, code, message))

    def object(
        self, value: Any, at: str, fields: Collection[str], required: Collection[str] = ()
    ) -> dict[str, Any] | None:
        """An object with no fields but these, and all that are required."""
        if not isinstance(value, dict):
            self.add(at, "wrong_type", f"must be an object, not {kind_name(value)}")
            return None
        for name in value:
            if name not in fields:
                known = ", ".join(sorted(fields))
                self.add(join(at, name), "unknown_field", f"unknown field {name!r}; known here: {known}")
        for name in required:
            if name not in value:
                self.add(at, "missing_field", f"the field {name!r} is missing")
        return value

    def choice(self, value: Any, at: str, choices: Collection[str]) -> str | None:
        if isinstance(value, str) and value in choices:
            return value
        self.add(at, "unknown_value", f"must be one of {', '.join(choices)}, not {shown(value)}")
        return None

    def flag(self, value: Any, at: str) -> bool | None:
        if isinstance(value, bool):
            return value
        self.add(at, "wrong_type", f"must be true or false, not {kind_name(value)}")
        return None

    def name(self, value: Any, at: str) -> str | None:
        """A string that may be an id or a name, see `core.ids`."""
        if not isinstance(value, str):
            self.add(at, "wrong_type", f"must be a string, not {kind_name(value)}")
        elif (wrong := ids.fault_of(value)) is not None:
            self.add(at, *wrong)
        else:
            return value
        return None

    def items(self, value: Any, at: str, least: int, most: int) -> list[Any] | None:
        """A list of `least` to `most` items."""
        if not isinstance(value, list):
            self.add(at, "wrong_type", f"must be a list, not {kind_name(value)}")
        elif not least <= len(value) <= most:
            self.add(at, "wrong_length", f"has {len(value)} items; {least} to {most} are allowed")
        else:
            return value
        return None


def join(at: str, part: str | int) -> str:
    """The pointer of a member of the value at `at`."""
    return f"{at}/{str(part).replace('~', '~0').replace('/', '~1')}"


def kind_name(value: Any) -> str:
    """The name of its type in JSON."""
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list"}
    return names.get(type(value), "an object")


def shown(value: Any) -> str:
    """A value as a message names it: a text in quotes, anything else as in JSON; cut where it is long."""
    if type(value) is int and value.bit_length() > 64:
        return "a number beyond 64 bits"
    text = repr(value) if isinstance(value, str) else _json(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _json(value: Any) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, OverflowError):  # a number or a text within it that no JSON of ours has
        return str(value)


def storable(text: str) -> bool:
    """Whether a value's text can be kept: no NUL, and it has a form in UTF-8."""
    if "\0" in text:
        return False
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
