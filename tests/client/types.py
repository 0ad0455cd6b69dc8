"""Writes the types of the client's answers as OpenAPI has them: `make client`.

Every class of a module of `livesegments/client/` that has the name of a schema (without `Out`) is written anew; a schema that
a route's answer has and no module, is added to the module of that route. Routes themselves are written by hand, because
their names and the order of their parameters are: those that lack a function are printed.

A choice of an answer is a `str`: a newer api may know more of them than this client.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from livesegments.api import app
from livesegments.runtime.settings import from_environment

CLIENT = Path(__file__).parents[2] / "shared" / "livesegments" / "client"
RESOURCES = sorted(
    path.stem
    for path in CLIENT.glob("*.py")
    if re.search(r"^@\w+(\.\w+)?\(", path.read_text(), re.MULTILINE)
    and path.stem not in ("request", "__init__")
)
CLASS = re.compile(r"^class (\w+)\(Struct, .*?(?=^(?:class|@|[A-Z_]+ =|\w+ =)|\Z)", re.DOTALL | re.MULTILINE)
PLAIN = {"integer": "int", "number": "float", "boolean": "bool", "null": "None", "string": "str"}
TEXTS = {"date-time": "datetime", "date": "date"}
RENAMED = {"in": "is_in"}
WIDTH = 108

DOCUMENT: dict[str, Any] = app.create(from_environment({}), lambda: 0).openapi()
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]


def name_of(schema: str) -> str:
    return schema.removesuffix("Out")


def references(schema: Any) -> Iterator[str]:
    """The names of all schemas that a part of the document refers to, and that they refer to; conditions are none."""
    known, todo = set[str](), [schema]
    while todo:
        part = todo.pop()
        if isinstance(part, dict):
            name = str(part.get("$ref", "")).rpartition("/")[2]
            if name and name not in known and not name.startswith("Condition"):
                known.add(name)
                yield name
                todo.append(SCHEMAS[name])
            todo.extend(part.values())
        elif isinstance(part, list):
            todo.extend(part)


def type_of(schema: Any) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return "dict[str, Any]" if name.startswith("Condition") else name_of(name)
    parts = schema.get("anyOf") or (
        [{"type": each} for each in schema["type"]] if isinstance(schema.get("type"), list) else None
    )
    if parts:
        kinds = list(dict.fromkeys(map(type_of, parts)))
        kinds = [kind for kind in kinds if kind != "int" or "float" not in kinds]
        return "Any" if "Any" in kinds else " | ".join(sorted(kinds, key=lambda kind: kind == "None"))
    match schema.get("type"):
        case "array":
            return f"list[{type_of(schema.get('items', {}))}]"
        case "object":
            inner = schema.get("additionalProperties")
            return f"dict[str, {type_of(inner) if isinstance(inner, dict) else 'Any'}]"
        case "string":
            return TEXTS.get(schema.get("format"), "str")
        case None:
            return "str" if "const" in schema or "enum" in schema else "Any"
        case other:
            return PLAIN[other]


def documented(text: str) -> str:
    """A docstring, indented by four."""
    lines = textwrap.wrap(f'"""{text.strip()}"""', WIDTH - 4, break_long_words=False, break_on_hyphens=False)
    return "".join(f"    {line}\n" for line in lines)


def struct(schema: str, own: str = "") -> str:
    """The class of a schema; `own`: what it is where the schema doesn't say."""
    described = SCHEMAS[schema]
    properties = described.get("properties", {})
    renamed = {ours: theirs for theirs, ours in RENAMED.items() if theirs in properties}
    how = f", rename={json.dumps(renamed)}" if renamed else ""
    text = f"class {name_of(schema)}(Struct, kw_only=True, frozen=True{how}):\n"
    text += documented(described.get("description") or own or f"`{schema}` of OpenAPI.") + "\n"
    for field, value in properties.items():
        kind, default = type_of(value), ""
        if field not in described.get("required", ()):
            kinds = {"list": " = []", "dict": " = {}"}
            default = " = None" if "None" in kind else kinds.get(kind.partition("[")[0], " = None")
            if default == " = None" and "None" not in kind and kind != "Any":
                kind += " | None"
        text += f"    {RENAMED.get(field, field)}: {kind}{default}\n"
        text += documented(value["description"]) if value.get("description") else ""
    return text


def _own(text: str) -> str:
    """The docstring of a class."""
    found = re.search(r'"""(.*?)"""', text, re.DOTALL)
    return " ".join(found[1].split()) if found else ""


def main() -> None:
    routes = {
        (method.upper(), path): op for path, of in DOCUMENT["paths"].items() for method, op in of.items()
    }
    for module in RESOURCES:
        import_module(f"livesegments.client.{module}")
    from livesegments.client.request import ROUTES  # noqa: PLC0415  (the modules have filled it)

    answers: dict[str, set[str]] = {}
    for route in ROUTES:
        module = route.module.rpartition(".")[2]
        operation = routes.get((route.method, route.path))
        found = operation["responses"] if operation else {}
        for status, answer in found.items():
            if status.startswith("2"):
                answers.setdefault(module, set()).update(references(answer))
    texts = {module: (CLIENT / f"{module}.py").read_text() for module in (*RESOURCES, "common")}
    named = {name_of(schema): schema for of in answers.values() for schema in of if schema != "Fault"}
    there = set[str]()
    for module, text in texts.items():

        def anew(match: re.Match[str]) -> str:
            there.add(match[1])
            return struct(named[match[1]], _own(match[0])) + "\n\n" if match[1] in named else match[0]

        texts[module] = CLASS.sub(anew, text)
    for module, of in answers.items():
        for schema in sorted(of):
            if schema != "Fault" and name_of(schema) not in there:
                there.add(name_of(schema))
                before, sign, after = texts[module].partition("\nclass ")
                texts[module] = f"{before}\n{struct(schema)}\n{sign}{after}"
    for module, text in texts.items():
        (CLIENT / f"{module}.py").write_text(text)
    ruff = Path(sys.executable).with_name("ruff")
    subprocess.run([ruff, "check", "--fix", "--quiet", CLIENT], check=False)
    subprocess.run([ruff, "format", "--quiet", CLIENT], check=True)
    ours = {(route.method, route.path) for route in ROUTES}
    for method, path in sorted(routes.keys() - ours):
        print(f"no function of the client: {method} {path}")
    for method, path in sorted(ours - routes.keys()):
        print(f"no route of the api any more: {method} {path}")


if __name__ == "__main__":
    main()
