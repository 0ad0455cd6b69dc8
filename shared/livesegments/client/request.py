"""Requests as values. Example:

    @get("/v1/segments/{id}/members", items="members")
    def page(id: str, *, limit: int = 1_000, cursor: str | None = None) -> Pages[Members, str]:
        '''A page of the members.'''
        ...

`page("vips")` is the request; nothing is sent. Parameters named in the path are put there, escaped.
`if_match` and `if_plan_match` are headers. All others are the query of a `GET` or a `DELETE`, else fields
of the JSON body: a field that is UNSET is left out, and so is a None in a query. `items` names the list of
a page.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from inspect import Signature, signature
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar, get_args
from urllib.parse import quote

from msgspec import UNSET, Struct, structs

T = TypeVar("T")
I = TypeVar("I")  # noqa: E741
P = ParamSpec("P")
R = TypeVar("R", bound="Request[Any]")

HEADERS = {"if_match": "If-Match", "if_plan_match": "If-Plan-Match"}
FIELDS = {"new_id": "id", "from_": "from"}
"""Fields of a body that have the name of a part of the path, or a name that Python keeps for itself."""
_PART = re.compile(r"\{(\w+)\}")


class Request(Struct, Generic[T], frozen=True, kw_only=True):
    """What to ask. `answer`: the type of the answer, None where it has no body. `once`: the route takes an
    `Idempotency-Key`, so it is done once however often it is sent. `timeout_s`: where it may take longer than
    others. `content`: a body that is no JSON."""

    method: str
    path: str
    answer: Any
    query: dict[str, Any] = {}
    body: dict[str, Any] | None = None
    headers: dict[str, str] = {}
    once: bool = False
    timeout_s: float | None = None
    content: bytes | None = None


class Pages(Request[T], Generic[T, I], frozen=True, kw_only=True):
    """The first page of a list; `items`: the field of a page that has them."""

    items: str

    def after(self, cursor: str) -> Pages[T, I]:
        """The page behind it."""
        if self.body is not None:
            return structs.replace(self, body={**self.body, "cursor": cursor})
        return structs.replace(self, query={**self.query, "cursor": cursor})


class Made(NamedTuple):
    """A route that a function makes requests of: for tests, which hold all of them against OpenAPI."""

    method: str
    path: str
    given: Signature
    answer: Any
    items: str | None
    once: bool
    module: str


ROUTES: list[Made] = []


def part(id_: str) -> str:
    """An id as one part of a path; dots are escaped too, else `..` would lead to another path.

    Raises ValueError for an empty id.
    """
    if not id_:
        raise ValueError("an id has at least one character")
    return quote(id_, safe="", errors="surrogateescape").replace(".", "%2E")


def etag(version: str | int) -> str:
    """A version, or an ETag as it was answered, for `If-Match`."""
    return f'"{version}"' if isinstance(version, int) else version


def _route(
    method: str, path: str, items: str | None, once: bool, timeout_s: float | None
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    in_path = _PART.findall(path)
    in_query = method in ("GET", "DELETE")

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        given = signature(function, eval_str=True)
        answer = get_args(given.return_annotation)[0]
        ROUTES.append(Made(method, path, given, answer, items, once, function.__module__))
        kind = Request if items is None else Pages
        fixed: dict[str, Any] = {"method": method, "answer": answer, "once": once, "timeout_s": timeout_s}
        if items is not None:
            fixed["items"] = items

        @wraps(function)
        def make(*arguments: P.args, **named: P.kwargs) -> R:
            bound = given.bind(*arguments, **named)
            bound.apply_defaults()
            values = bound.arguments
            place = _PART.sub(lambda found: part(str(values[found[1]])), path)
            headers = {
                header: etag(values[name]) for name, header in HEADERS.items() if values.get(name) is not None
            }
            fields = {
                FIELDS.get(name, name): value
                for name, value in values.items()
                if name not in in_path and name not in HEADERS and value is not UNSET
            }
            if in_query:
                fields = {name: value for name, value in fields.items() if value is not None}
                return kind(path=place, query=fields, headers=headers, **fixed)  # type: ignore[return-value]
            body = None if given.parameters.keys() <= {*in_path, *HEADERS} else fields
            return kind(path=place, body=body, headers=headers, **fixed)  # type: ignore[return-value]

        return make

    return decorate


def get(path: str, *, items: str | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    return _route("GET", path, items, False, None)


def post(
    path: str, *, items: str | None = None, once: bool = False, timeout_s: float | None = None
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    return _route("POST", path, items, once, timeout_s)


def put(path: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    return _route("PUT", path, None, False, None)


def patch(path: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    return _route("PATCH", path, None, False, None)


def delete(path: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    return _route("DELETE", path, None, False, None)
