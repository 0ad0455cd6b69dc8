"""Faults and warnings of the api, at the node and the field that they concern. Pure.

Example: `/definition/of/1/window/last` concerns the field `window/last` of the node `/of/1`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from msgspec import Struct

from livesegments.console.builder.pointer import get, join, parts


class Said(Protocol):
    """A fault or a warning, as the client reads them."""

    @property
    def pointer(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def message(self) -> str: ...


class Note(Struct, frozen=True):
    """`node`: the pointer of the innermost node that is there; `field`: the rest, as a path within it."""

    node: str
    field: str
    code: str
    message: str
    bad: bool

    @property
    def words(self) -> str:
        """The message as a sentence; a fault's begins with the field."""
        text = self.message[:1].upper() + self.message[1:]
        if self.bad and self.field and self.message[:1].islower():
            text = f"{self.field.rpartition('/')[2].replace('_', ' ').capitalize()} {self.message}"
        return text if text.endswith((".", "?", "!")) else f"{text}."

    def is_open(self, document: Any) -> bool:
        """Whether it only says that something is yet to be filled in."""
        if not self.bad or self.code == "missing_field":
            return self.bad
        try:
            return get(document, f"{self.node}/{self.field}" if self.field else self.node) in (
                "",
                [],
                ["", ""],
            )
        except LookupError:
            return False


def of_definition(document: Any, said: Iterable[Said], bad: bool, root: str = "/definition") -> list[Note]:
    """Those that concern the definition; `root`: what stands in front of their pointers."""
    found = []
    for each in said:
        if each.pointer == root or each.pointer.startswith(f"{root}/"):
            node, field = place(document, each.pointer[len(root) :])
            found.append(Note(node, field, each.code, each.message, bad))
    return found


def of_rest(said: Iterable[Said], bad: bool, root: str = "/definition") -> list[Note]:
    """Those of the name, the tags and so on: `field` is the name of the field."""
    return [
        Note("", "/".join(parts(each.pointer)), each.code, each.message, bad)
        for each in said
        if not (each.pointer == root or each.pointer.startswith(f"{root}/"))
    ]


def place(document: Any, pointer: str) -> tuple[str, str]:
    """The innermost node on the way to a pointer, and the rest of the way."""
    path = parts(pointer)
    node, at, here = "", 0, document
    while at < len(path) and path[at] == "of" and isinstance(here, dict) and "of" in here:
        below = here["of"]
        if isinstance(below, list) and at + 1 < len(path) and path[at + 1].isdecimal():
            index = int(path[at + 1])
            if index >= len(below):
                break
            node, here, at = join(node, "of", index), below[index], at + 2
        elif isinstance(below, dict):
            node, here, at = join(node, "of"), below, at + 1
        else:
            break
    return node, "/".join(path[at:])
