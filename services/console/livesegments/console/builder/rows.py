"""What the builder shows of a definition: a row for every condition, and a box for every group. Pure.

Example: `not` of a tag is one row, "does not have the tag", whose `nots` is 1. Whatever is no node of
the language is a row as well, of the kind `raw`, which is edited as JSON: so every definition can be
shown, and nothing is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from msgspec import Struct

from livesegments.console.builder.kinds import KINDS
from livesegments.console.builder.pointer import Json, join

Form = Literal["group", "leaf", "raw"]
MOST_DEEP = 30


class Row(Struct, frozen=True):
    """`pointer`: of the outermost `not` around it, where it is taken and dropped; `inner`: of the node
    itself."""

    pointer: str
    inner: str
    nots: int
    form: Form
    node: Any
    rows: tuple[Row, ...] = ()

    @property
    def kind(self) -> str:
        return str(self.node["type"]) if self.form != "raw" else "raw"


def rows(document: Any, pointer: str = "", deep: int = 0) -> Row:
    """The document as rows."""
    node, inner, nots = document, pointer, 0
    while isinstance(node, dict) and node.get("type") == "not" and node.keys() == {"type", "of"}:
        if not isinstance(node["of"], dict) or nots > MOST_DEEP:
            break
        node, inner, nots = node["of"], join(inner, "of"), nots + 1
    kind = node.get("type") if isinstance(node, dict) else None
    if _is_group(node) and deep < MOST_DEEP:
        below = tuple(rows(each, join(inner, "of", index), deep + 1) for index, each in enumerate(node["of"]))
        return Row(pointer, inner, nots, "group", node, below)
    known = isinstance(kind, str) and kind in KINDS and KINDS[kind].is_leaf
    return Row(pointer, inner, nots, "leaf" if known else "raw", node)


def walk(row: Row) -> Iterator[Row]:
    """The row and all below it, from top to bottom."""
    yield row
    for each in row.rows:
        yield from walk(each)


def _is_group(node: Any) -> bool:
    return (
        isinstance(node, dict)
        and node.get("type") in ("all", "any")
        and node.keys() <= {"type", "of"}
        and isinstance(node.get("of"), list)
    )


def size(document: Any) -> int:
    """How many nodes it has, groups and `not` among them."""
    if not isinstance(document, dict):
        return 1
    of = document.get("of")
    if isinstance(of, list):
        return 1 + sum(size(each) for each in of)
    return 1 + (size(of) if document.get("type") == "not" else 0)


def empty() -> Json:
    """A definition that is yet to be written."""
    return {"type": "all", "of": []}
