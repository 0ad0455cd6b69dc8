"""The client's routes and types are those of OpenAPI: what the api gets anew, the client gets with it."""

from __future__ import annotations

import pkgutil
import types
from datetime import date, datetime
from functools import cache
from importlib import import_module
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
import pytest
from msgspec import Struct

from livesegments import client
from livesegments.api import app
from livesegments.client.request import FIELDS, HEADERS, ROUTES, Made
from livesegments.core.fault import Fault
from livesegments.runtime.settings import from_environment

for _module in pkgutil.iter_modules(client.__path__, f"{client.__name__}."):
    import_module(_module.name)  # which registers its routes

LEFT_OUT = {
    ("GET", "/v1/transitions"): "an endless answer: `Client.transitions`",
    ("GET", "/v1/segments/{id}/exports/{export}/file"): "a file: `Client.download`",
    ("PUT", "/v1/imports/{id}/file"): "bytes: `imports.send`, which is written by hand",
    ("GET", "/v1/imports/{id}/refused"): "a file: `Client.refused_rows`",
    ("GET", "/metrics"): "a text, for Prometheus",
}
CLIENTS_OWN = {"X-Workspace", "Idempotency-Key", "Last-Event-ID", "If-None-Match"}
"""Headers that the clients give by themselves, or (the last) that none of them asks with."""
TEXTS = {"date-time": datetime, "date": date}


@cache
def document() -> Any:
    """Made when a test first asks: that takes a second, and whoever only collects the tests needs none."""
    return app.create(from_environment({}), lambda: 0).openapi()


@cache
def operations() -> dict[tuple[str, str], Any]:
    return {
        (method.upper(), path): operation
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    }


def test_every_route_is_the_clients_or_is_left_out_for_a_reason() -> None:
    ours = [(route.method, route.path) for route in ROUTES]
    assert len(ours) == len(set(ours))
    assert {*ours, *LEFT_OUT} <= operations().keys()
    missing = operations().keys() - {*ours, *LEFT_OUT}
    assert missing == set(), "a route has a function in livesegments/client/, or a reason: see `make client`"


def test_no_two_schemas_share_a_name() -> None:
    """Else FastAPI puts the module's path before both, for all the world to see."""
    assert [name for name in document()["components"]["schemas"] if "__" in name] == []


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_route_takes_and_gives_what_openapi_says(route: Made) -> None:
    operation = operations()[route.method, route.path]
    assert _given(route) == _asked(operation)
    for parameter in operation.get("parameters", ()):
        choices = _choices(parameter["schema"])
        given = route.given.parameters.get(parameter["name"])
        assert not choices or given is None or _literals(given.annotation) == choices, parameter
    answers = [answer for status, answer in operation["responses"].items() if status[0] == "2"]
    assert answers
    for answer in answers:
        content = answer.get("content", {}).get("application/json")
        if content is None:
            assert route.answer is type(None)
        else:
            assert list(_differing(route.answer, content["schema"], set())) == []
    if route.items is not None:
        assert {route.items, "next_cursor"} <= {field.name for field in msgspec.structs.fields(route.answer)}
    headers = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "header"}
    assert route.once == ("Idempotency-Key" in headers)


def _given(route: Made) -> set[str]:
    return {HEADERS.get(name, FIELDS.get(name, name)) for name in route.given.parameters}


def _asked(operation: Any) -> set[str]:
    parameters = {each["name"] for each in operation.get("parameters", ())} - CLIENTS_OWN
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    for schema in body.get("oneOf") or body.get("anyOf") or [body]:
        parameters |= set(_resolved(schema).get("properties", {}))
    return parameters


def _choices(schema: Any) -> set[str]:
    parts = schema.get("anyOf", [schema])
    return {choice for part in parts for choice in part.get("enum", ())}


def _literals(of: Any) -> set[Any]:
    if get_origin(of) is Literal:
        return set(get_args(of))
    return {choice for part in get_args(of) for choice in _literals(part)}


def _resolved(schema: Any) -> Any:
    return (
        document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    )


def _differing(of: Any, schema: Any, seen: set[Any]) -> Any:
    """What of a type is not as the schema has it, in words."""
    if of is Any:
        return
    named = schema.get("$ref", "").rpartition("/")[2]
    if named.startswith("Condition"):  # definitions are as their author wrote them
        assert of == dict[str, Any]
        return
    schema = _resolved(schema)
    if (parts := schema.get("anyOf")) is not None:
        yield from _union(of, parts, seen)
    elif isinstance(schema.get("type"), list):
        yield from _union(of, [{"type": each} for each in schema["type"]], seen)
    elif isinstance(of, type) and issubclass(of, Struct):
        if of not in seen:
            yield from _struct(of, schema, seen | {of})
    elif get_origin(of) is list and schema.get("type") == "array":
        yield from _differing(get_args(of)[0], schema.get("items", {}), seen)
    elif get_origin(of) is dict and schema.get("type") == "object":
        inner = schema.get("additionalProperties")
        if isinstance(inner, dict):
            yield from _differing(get_args(of)[1], inner, seen)
    elif get_origin(of) is Literal:
        if set(get_args(of)) != set(schema.get("enum", [schema.get("const")])):
            yield f"{of} is {schema}"
    elif of not in _plain(schema):
        yield f"{of} is {schema}"


def _plain(schema: Any) -> tuple[Any, ...]:
    match schema.get("type"):
        case "string":
            return (TEXTS.get(schema.get("format"), str),)
        case "integer":
            return (int,)
        case "number":
            return (float,)
        case "boolean":
            return (bool,)
        case "null":
            return (type(None),)
    return ()


def _union(of: Any, parts: list[Any], seen: set[Any]) -> Any:
    ours = list(get_args(of)) if get_origin(of) in (Union, types.UnionType) else [of]
    if float in ours:
        parts = [part for part in parts if part.get("type") != "integer"]
    for part in parts:
        fits = next((each for each in ours if not list(_differing(each, part, seen))), None)
        if fits is None:
            yield f"{of} lacks {part}: {[list(_differing(each, part, seen)) for each in ours]}"
        else:
            ours.remove(fits)
    if ours:
        yield f"{of} has {ours} beside {parts}"


def _struct(of: type[Struct], schema: Any, seen: set[Any]) -> Any:
    if of is Fault:
        return
    fields = {field.encode_name: field for field in msgspec.structs.fields(of)}
    properties, required = schema.get("properties", {}), set(schema.get("required", ()))
    for name in sorted(fields.keys() ^ properties.keys()):
        yield f"{of.__name__} {'lacks' if name in properties else 'has'} {name}"
    for name in fields.keys() & properties.keys():
        field = fields[name]
        if name in required and not field.required:
            yield f"{of.__name__}.{name} has a default, but is always there"
        kind, default = field.type, field.default
        if name not in required and default is None and not _nullable(properties[name]):
            kind = _without_none(kind)
        for difference in _differing(kind, properties[name], seen):
            yield f"{of.__name__}.{name}: {difference}"


def _nullable(schema: Any) -> bool:
    return any(part.get("type") == "null" for part in schema.get("anyOf", ()))


def _without_none(of: Any) -> Any:
    rest = [each for each in get_args(of) if each is not type(None)]
    return Union[tuple(rest)]  # noqa: UP007  (a union of a list of types)
