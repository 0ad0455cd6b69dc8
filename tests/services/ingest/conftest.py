"""Ingest on the real broker and the real Redis, in this process."""

from collections.abc import AsyncIterator

import httpx
import pytest

from livesegments.ingest import app as ingest
from livesegments.runtime.embedded.stack import Stack
from livesegments.runtime.settings import Settings
from tests.services.ingest.rig import write_catalog


@pytest.fixture
async def settings(clean_stack: Stack) -> Settings:
    await write_catalog(clean_stack.redis)
    return Settings(kafka=clean_stack.kafka, redis=clean_stack.redis)


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with ingest.serving(settings) as url, httpx.AsyncClient(base_url=url, trust_env=False) as http:
        yield http
