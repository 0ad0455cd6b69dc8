"""The OpenAPI document: FastAPI's, with the condition language and the problems in it."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse

from livesegments.api.web import auth
from livesegments.api.web.descriptions import describe
from livesegments.api.web.problems import COMPONENT, ProblemBody
from livesegments.core.definition import Node

PATH = "/openapi.json"
REF = "#/components/schemas/{}"
PREFIX = "Condition"
"""Before the names of the language's schemas: `All`, `Event` … say too little among all others."""


def install(app: FastAPI) -> None:
    """`/openapi.json`: made when it is first asked for, beside the event loop: that takes two seconds."""
    making = asyncio.Lock()

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]

    @app.get(PATH, include_in_schema=False)
    async def whole() -> JSONResponse:
        async with making:
            return JSONResponse(await asyncio.to_thread(document))


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        tags=app.openapi_tags,
        routes=app.routes,
    )
    document["components"]["securitySchemes"] = {auth.SCHEME: auth.SECURITY}
    for path, methods in document["paths"].items():
        for operation in methods.values() if path.startswith("/v1/") else ():
            operation["security"] = [{auth.SCHEME: []}]
    schemas = document["components"]["schemas"]
    _, problems = msgspec.json.schema_components([ProblemBody], ref_template=REF.format("{name}"))
    schemas |= problems
    (root,), parts = msgspec.json.schema_components([Node], ref_template=REF.format(PREFIX + "{name}"))
    schemas |= {PREFIX + name: _recursive(part, root) for name, part in parts.items()}
    del schemas[f"{PREFIX}Computed"]
    schemas[PREFIX] = _written(root)
    found: dict[str, Any] = _replace(document)
    describe(found)
    return found


def _written(root: Any) -> Any:
    """All nodes but the one that no author writes."""
    own = REF.format(f"{PREFIX}Computed")
    of = root["discriminator"]
    mapping = {tag: ref for tag, ref in of["mapping"].items() if ref != own}
    nodes = [each for each in root["anyOf"] if each != {"$ref": own}]
    return {**root, "anyOf": nodes, "discriminator": {**of, "mapping": mapping}}


def _recursive(part: Any, root: Any) -> Any:
    """With one reference in the place of every list of all nodes."""
    if part == root:
        return {"$ref": REF.format(PREFIX)}
    if isinstance(part, list):
        return [_recursive(each, root) for each in part]
    if isinstance(part, dict):
        return {name: _recursive(each, root) for name, each in part.items()}
    return part


def _replace(part: Any) -> Any:
    if isinstance(part, list):
        return [_replace(each) for each in part]
    if not isinstance(part, dict):
        return part
    if COMPONENT in part:
        told = {name: each for name, each in part.items() if name != COMPONENT}
        return told | {"$ref": REF.format(part[COMPONENT])}
    return {name: _replace(each) for name, each in part.items()}
