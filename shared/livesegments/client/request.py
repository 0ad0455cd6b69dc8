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
from functools import cached_property, wraps
from inspect import Signature, signature
from typing import Any, Generic, ParamSpec, TypeVar, get_args
from urllib.parse import quote

from msgspec import UNSET, Struct, structs

from livesegments.client.errors import BadId

T = TypeVar("T")
I = TypeVar("I")  # noqa: E741
P = ParamSpec("P")
R = TypeVar("R", bound="Request[Any]")

HEADERS = {"if_match": "If-Match", "if_plan_match": "If-Plan-Match"}
FIELDS = {"new_id": "id", "from_": "from"}
"""Fields of a body that have the name of a part of the path, or a name that Python keeps for itself."""
_PART = re.compile(r"([\w-]*)/\{(\w+)\}")
SLASHED = frozenset({"profile", "name"})
"""The parts of a path that may have a slash in them: ids of profiles and names are what others send."""


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


class Made:
    """A route that a function makes requests of. What its annotations say is read when it is first used: to
    read those of all routes would delay the start of a command."""

    def __init__(
        self, method: str, path: str, function: Callable[..., Any], items: str | None, once: bool
    ) -> None:
        self.method, self.path, self.items, self.once = method, path, items, once
        self._function = function
        self.module = function.__module__

    @cached_property
    def given(self) -> Signature:
        """What the function takes."""
        return signature(self._function, eval_str=True)

    @property
    def answer(self) -> Any:
        """The type of the answer."""
        return get_args(self.given.return_annotation)[0]


ROUTES: list[Made] = []


def part(id_: str, what: str = "", *, slashed: bool = False) -> str:
    """An id as one part of a path; dots are escaped too, else `..` would lead to another path.

    Raises BadId for an empty one, and for one with a slash unless these may be in it: a segment `a/build`
    would lead to what is built for the segment `a`.
    """
    if not id_ or ("/" in id_ and not slashed):
        raise BadId(what, id_)
    return quote(id_, safe="", errors="surrogateescape").replace(".", "%2E")


def _placed(resource: str, name: str, values: dict[str, Any]) -> str:
    """`segments/{id}` with its value."""
    what = name if name != "id" else resource.removesuffix("s").replace("-", " ")
    return f"{resource}/{part(str(values[name]), what, slashed=name in SLASHED)}"


def etag(version: str | int) -> str:
    """A version, or an ETag as it was answered, for `If-Match`."""
    return f'"{version}"' if isinstance(version, int) else version


def _route(
    method: str, path: str, items: str | None, once: bool, timeout_s: float | None
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    in_path = [name for _, name in _PART.findall(path)]
    in_query = method in ("GET", "DELETE")

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        route = Made(method, path, function, items, once)
        ROUTES.append(route)
        kind = Request if items is None else Pages
        fixed: dict[str, Any] = {"method": method, "once": once, "timeout_s": timeout_s}
        if items is not None:
            fixed["items"] = items

        @wraps(function)
        def make(*arguments: P.args, **named: P.kwargs) -> R:
            given = route.given
            fixed["answer"] = route.answer
            bound = given.bind(*arguments, **named)
            bound.apply_defaults()
            values = bound.arguments
            place = _PART.sub(lambda found: _placed(found[1], found[2], values), path)
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
