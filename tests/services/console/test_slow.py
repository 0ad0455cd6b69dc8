"""A page whose answers take too long is answered all the same, by what is shown where the api is away."""

from __future__ import annotations

import asyncio

import pytest

from livesegments.client import Unreachable
from livesegments.console import serve


async def test_a_page_that_takes_too_long_to_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "BUILD_S", 0.0)
    with pytest.raises(Unreachable, match="took longer"):
        async with serve.in_time():
            await asyncio.Event().wait()


async def test_a_page_that_is_built_in_time() -> None:
    async with serve.in_time():
        pass
