"""Edits of a definition: each takes a definition and gives another one, with the pointer of what it was
about. Pure.

Rows are named by the pointers that `rows` gives: of the outermost `not` around a node. An edit that
makes no sense (to move a group into itself) changes nothing.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Literal, NamedTuple, TypeAlias

from livesegments.console.builder import kinds
from livesegments.console.builder.pointer import Json, get, join, last, parent, put, within
from livesegments.console.builder.rows import rows

Group: TypeAlias = Literal["all", "any"]


class Edited(NamedTuple):
    document: Any
    pointer: str
    """Where it is now, or what is next to it."""


def add(document: Any, group: str, index: int, node: Json) -> Edited:
    """Puts a node into the group at `group`. A definition of a single condition becomes a group of both."""
    found = get(document, group)
    row = rows(found, group)
    if row.form != "group":
        return Edited(put(document, group, {"type": "all", "of": [found, node]}), join(group, "of", 1))
    of = list(row.node["of"])
    index = max(0, min(index, len(of)))
    of.insert(index, node)
    return Edited(put(document, join(row.inner, "of"), of), join(row.inner, "of", index))


def remove(document: Any, pointer: str) -> Edited:
    """Takes a row away. Without the last one there is an empty group."""
    if not pointer:
        return Edited({"type": "all", "of": []}, "")
    above = parent(pointer)
    of = list(get(document, above))
    index = int(last(pointer))
    del of[index]
    neighbour = join(above, min(index, len(of) - 1)) if of else _row_of_list(document, above)
    return Edited(put(document, above, of), neighbour)


def duplicate(document: Any, pointer: str) -> Edited:
    """A copy right behind it."""
    node = deepcopy(get(document, pointer))
    if not pointer:
        return Edited({"type": "all", "of": [document, node]}, "/of/1")
    above, index = parent(pointer), int(last(pointer))
    of = list(get(document, above))
    of.insert(index + 1, node)
    return Edited(put(document, above, of), join(above, index + 1))


def wrap(document: Any, pointer: str, kind: Group) -> Edited:
    """Puts a group around a row."""
    return Edited(put(document, pointer, {"type": kind, "of": [get(document, pointer)]}), pointer)


def unwrap(document: Any, pointer: str) -> Edited:
    """Puts what is in a group in its place. A group that is denied, or has no group around it for
    several rows, stays."""
    row = rows(get(document, pointer), pointer)
    if row.form != "group" or row.nots:
        return Edited(document, pointer)
    of = row.node["of"]
    if len(of) == 1:
        return Edited(put(document, pointer, of[0]), pointer)
    if not pointer:
        return Edited(document, pointer)
    above, index = parent(pointer), int(last(pointer))
    around = list(get(document, above))
    around[index : index + 1] = of
    return Edited(put(document, above, around), join(above, index) if of else _row_of_list(document, above))


def deny(document: Any, pointer: str) -> Edited:
    """Puts a `not` around a row, or takes it away."""
    node = get(document, pointer)
    if rows(node, pointer).nots:
        return Edited(put(document, pointer, node["of"]), pointer)
    return Edited(put(document, pointer, {"type": "not", "of": node}), pointer)


def change(document: Any, pointer: str, kind: str) -> Edited:
    """Makes a row another kind: `all` or `any` of a group, a kind of condition of a condition."""
    row = rows(get(document, pointer), pointer)
    if row.form == "group":
        made: Json = {**row.node, "type": kind}
    else:
        made = kinds.changed(row.node if isinstance(row.node, dict) else {}, kind)
    return Edited(put(document, row.inner, made), pointer)


def move(document: Any, pointer: str, group: str, index: int) -> Edited:
    """Takes a row to the place `index` of a group, both as they are before the move. A group that is
    empty then goes."""
    if not pointer or within(group, pointer) or rows(get(document, group), group).form != "group":
        return Edited(document, pointer)
    made = deepcopy(document)
    into = get(made, join(rows(get(made, group), group).inner, "of"))
    above = parent(pointer)
    source, at = get(made, above), int(last(pointer))
    node = source[at]
    index = max(0, min(index, len(into)))
    gap: Json = {}
    source[at] = gap
    into.insert(index, node)
    _without(source, gap)
    if not source:
        made = _drop_group(made, source)
    return Edited(made, _place(made, node) or "")


def beside(document: Any, pointer: str, onto: str, behind: bool = False) -> Edited:
    """Takes a row in front of another one, or behind it."""
    if not onto:
        many = len(rows(document).rows)
        return move(document, pointer, "", many if behind else 0)
    return move(document, pointer, _row_of_list(document, parent(onto)), int(last(onto)) + behind)


def combine(document: Any, pointer: str, onto: str, kind: Group = "any") -> Edited:
    """Takes a row onto another one: both are a group in the place of that one."""
    if not pointer or within(onto, pointer):
        return Edited(document, pointer)
    wrapped, _ = wrap(document, onto, kind)
    source = pointer
    if within(pointer, onto):  # it lies in what has been wrapped
        source = join(onto, "of", 0) + pointer[len(onto) :]
    return move(wrapped, source, onto, 1)


def up(document: Any, pointer: str) -> Edited:
    """One step towards the beginning: past its neighbour, or out of its group in front of it."""
    return _step(document, pointer, -1)


def down(document: Any, pointer: str) -> Edited:
    return _step(document, pointer, 1)


def _step(document: Any, pointer: str, by: int) -> Edited:
    if not pointer:
        return Edited(document, pointer)
    above, index = parent(pointer), int(last(pointer))
    group = _row_of_list(document, above)
    many = len(get(document, above))
    if 0 <= index + by < many:
        return move(document, pointer, group, index - 1 if by < 0 else index + 2)
    if not group:
        return Edited(document, pointer)
    return move(document, pointer, _row_of_list(document, parent(group)), int(last(group)) + (by > 0))


def enter(document: Any, pointer: str) -> Edited:
    """Into the group that is in front of it, as its last row."""
    if not pointer or not int(last(pointer)):
        return Edited(document, pointer)
    before = join(parent(pointer), int(last(pointer)) - 1)
    row = rows(get(document, before), before)
    if row.form != "group":
        return Edited(document, pointer)
    return move(document, pointer, before, len(row.node["of"]))


def leave(document: Any, pointer: str) -> Edited:
    """Out of its group, right behind it."""
    if not pointer:
        return Edited(document, pointer)
    group = _row_of_list(document, parent(pointer))
    if not group:
        return Edited(document, pointer)
    return move(document, pointer, _row_of_list(document, parent(group)), int(last(group)) + 1)


def _row_of_list(document: Any, of: str) -> str:
    """The pointer of the row whose `of` is there: that of the outermost `not` around the group."""
    group = parent(of)
    while (
        group and parent(group) and last(group) == "of" and get(document, parent(group)).get("type") == "not"
    ):
        group = parent(group)
    if group == "/of" and isinstance(document, dict) and document.get("type") == "not":
        return ""
    return group


def _without(items: list[Any], gone: Any) -> None:
    items[:] = [each for each in items if each is not gone]


def _drop_group(document: Any, of: list[Any]) -> Any:
    """Takes away the group whose list this is, unless it is the whole definition."""
    place = _place(document, of)
    if place is None:
        return document
    pointer = _row_of_list(document, place)
    if not pointer:
        return document
    above = get(document, parent(pointer))
    del above[int(last(pointer))]
    return document


def _place(document: Any, wanted: Any, pointer: str = "") -> str | None:
    """Where this very object stands."""
    if document is wanted:
        return pointer
    below: list[tuple[str | int, Any]] = []
    if isinstance(document, dict):
        below = list(document.items())
    elif isinstance(document, list):
        below = list(enumerate(document))
    for part, value in below:
        if (found := _place(value, wanted, join(pointer, part))) is not None:
            return found
    return None
