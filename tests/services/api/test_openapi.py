"""The OpenAPI document is what the api does: schemathesis against the real service, on the real stack."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import httpx
import msgspec
import pytest

from livesegments.api.operations import erasures
from tests.clients.install import python_packages
from tests.effort import effort
from tests.services.api.conftest import CITY, Client

ROOT = Path(__file__).parents[3]
SEED = os.environ.get("FUZZ_SEED", "1")
FUZZ = "FUZZ_SEED" in os.environ
EXAMPLES, TIMEOUT_S = (30, 1_200) if FUZZ else (effort(2, 1), 480)
"""An operation's random requests, beside those that follow from its schema alone; `make fuzz` tries more."""
PHASES = [] if FUZZ else ["--phases", effort("examples,fuzzing", "examples,coverage,fuzzing")]
"""Every value, missing part and method that a schema speaks of is for `make long`; chains of requests that follow links of the
document are for `make fuzz`."""
REQUEST_S = 60
"""On a busy machine an answer takes longer than the 10 s that schemathesis would wait."""
CONDITION_IN = ["NewDynamic", "SegmentPatch", "ToPlan"]
"""They have a whole condition in them, as `ToPreview` has: its 3,700 faulty forms are sent once, to the preview."""
GENERATOR = Path(__file__).parent / "openapi-generator.txt"
"""openapi-python-client, which contradicts what we depend on: it comes into a folder of its own."""


@pytest.mark.timeout(TIMEOUT_S + 30)
async def test_schemathesis_finds_nothing(
    shop: Client, boss: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasures, "APPLIED_S", 0.05)  # no evaluator runs that could apply one
    await shop.segment("newsletter", type="static")
    document = (await shop.get("/openapi.json")).json()
    if not FUZZ:
        for name in CONDITION_IN:
            properties = document["components"]["schemas"][name]["properties"]
            assert properties["definition"]["$ref"] == "#/components/schemas/Condition"
            properties["definition"]["$ref"] = "#/components/schemas/ConditionTag"
    (tmp_path / "openapi.json").write_bytes(msgspec.json.encode(document))
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).parent / "schemathesis"),
        *("--config-file", str(ROOT / "schemathesis.toml"), "run", "openapi.json", "--url", shop.url),
        *("--header", f"Authorization: {boss.headers['Authorization']}"),
        *("--header", f"X-Workspace: {shop.workspace}"),
        *PHASES,
        *("--request-timeout", str(REQUEST_S)),
        *("--max-examples", str(EXAMPLES), "--seed", SEED, "--no-color", "--generation-database", "none"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(TIMEOUT_S):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, output.decode()[-8_000:]


async def test_the_condition_language_is_in_it_and_recursive(api: str) -> None:
    async with httpx.AsyncClient(base_url=api) as client:
        schemas = (await client.get("/openapi.json")).json()["components"]["schemas"]
    condition = {"$ref": "#/components/schemas/Condition"}
    assert schemas["ConditionNot"]["properties"]["of"]["$ref"] == condition["$ref"]
    assert schemas["ConditionAll"]["properties"]["of"]["items"] == condition
    assert schemas["NewDynamic"]["properties"]["definition"]["$ref"] == condition["$ref"]


async def test_every_operation_says_what_it_may_answer(api: str) -> None:
    async with httpx.AsyncClient(base_url=api) as client:
        document = (await client.get("/openapi.json")).json()
    described = {tag["name"] for tag in document["tags"] if tag["description"]}
    names = [
        operation["operationId"] for methods in document["paths"].values() for operation in methods.values()
    ]
    assert len(names) == len(set(names)) and "create_segment" in names
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert set(operation["tags"]) <= described
            place = f"{method} {path}"
            assert operation["summary"] and operation["description"], place
            assert {"422", "500", "503"} <= operation["responses"].keys(), place
            if path.startswith("/v1"):
                assert operation["security"] and {"401", "403"} <= operation["responses"].keys(), place
            for status, answer in operation["responses"].items():
                if status >= "400":
                    assert list(answer["content"]) == ["application/problem+json"], place


async def test_every_property_and_parameter_says_what_it_means(api: str) -> None:
    async with httpx.AsyncClient(base_url=api) as client:
        document = (await client.get("/openapi.json")).json()
    silent = [
        (schema, name)
        for schema, body in document["components"]["schemas"].items()
        for name, part in body.get("properties", {}).items()
        if not part.get("description")
    ]
    silent += [
        (path, parameter["name"])
        for path, methods in document["paths"].items()
        for operation in methods.values()
        for parameter in operation.get("parameters", [])
        if not parameter.get("description")
    ]
    assert silent == []


async def test_a_generated_client_is_typed(api: str, tmp_path: Path) -> None:
    """Every answer of success is of one shape, so a generator of clients can name its type."""
    async with httpx.AsyncClient(base_url=api) as client:
        document = (await client.get("/openapi.json")).json()
    for name, schema in document["components"]["schemas"].items():
        for field, part in schema.get("properties", {}).items():
            kinds = {each.get("type", "$ref") for each in part.get("anyOf", [])} - {"null"}
            lists = "array" in kinds and len(kinds) > 1
            assert name.startswith("Condition") or not lists, (name, field)
    (tmp_path / "openapi.json").write_bytes(msgspec.json.encode(document))
    (tmp_path / "config.yaml").write_text("post_hooks: []")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "openapi_python_client", "generate", "--path", "openapi.json"),
        *("--config", "config.yaml", "--meta", "none", "--output-path", "made"),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(python_packages(GENERATOR))},
    )
    assert await process.wait() == 0
    made = (tmp_path / "made/api/members/list_members.py").read_text()
    assert "Response[MembersOut | ProblemBody]" in made


async def test_a_profiles_id_has_one_name(api: str) -> None:
    async with httpx.AsyncClient(base_url=api) as client:
        document = (await client.get("/openapi.json")).json()
    parameters = [
        each["name"]
        for path in document["paths"].values()
        for operation in path.values()
        for each in operation.get("parameters", ())
    ]
    schemas = document["components"]["schemas"].values()
    names = {*parameters, *(field for schema in schemas for field in schema.get("properties", ()))}
    assert {"profile", "profiles"} <= names
    assert not names & {"profile_id", "profileId", "user_id", "userId"}


async def test_what_is_written_is_read_as_it_was(shop: Client) -> None:
    """Defaults left out stay out, so a definition can be compared with its file."""
    assert (await shop.segment("c", CITY))["definition"] == CITY
