"""JSON pointers (RFC 6901) into a definition, and what stands there. Example: `/of/1/window` of a group."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
Part: TypeAlias = str | int


def parts(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def join(pointer: str, *below: Part) -> str:
    for part in below:
        pointer += f"/{str(part).replace('~', '~0').replace('/', '~1')}"
    return pointer


def get(document: Any, pointer: str) -> Any:
    """Raises LookupError where nothing stands."""
    found = document
    for part in parts(pointer):
        if isinstance(found, dict):
            found = found[part]
        elif isinstance(found, list) and part.isdecimal():
            found = found[int(part)]
        else:
            raise LookupError(pointer)
    return found


def put(document: Any, pointer: str, value: Any) -> Any:
    """The document with another value there; nothing of the given one is changed."""
    return _put(document, parts(pointer), value)


def _put(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    first, rest = path[0], path[1:]
    if isinstance(document, dict):
        return {**document, first: _put(document.get(first), rest, value)}
    if isinstance(document, list) and first.isdecimal() and int(first) < len(document):
        index = int(first)
        return [*document[:index], _put(document[index], rest, value), *document[index + 1 :]]
    raise LookupError("/".join(path))


def within(pointer: str, above: str) -> bool:
    """Whether it is `above` or lies below it."""
    return pointer == above or pointer.startswith(f"{above}/")


def parent(pointer: str) -> str:
    return pointer.rpartition("/")[0]


def last(pointer: str) -> str:
    return parts(pointer)[-1]


def fields(node: Json, names: Iterable[str]) -> Json:
    """Those of the fields that the node has."""
    return {name: node[name] for name in names if name in node}
