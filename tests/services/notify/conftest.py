"""A notify process of its own on the real parts, and a receiver beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from livesegments.runtime.embedded.stack import Stack
from tests.services.notify.rig import Receiver, Rig, receiving, rigged


@pytest.fixture
async def rig(clean_stack: Stack, tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigged(clean_stack, tmp_path) as made:
        yield made


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made
