from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from livesegments.runtime.embedded.stack import Stack
from tests.history.conftest import bucket
from tests.services.evaluator.rig import Rig, rig

__all__ = ["bucket"]


@pytest.fixture
async def evaluation(clean_stack: Stack, tmp_path: Path) -> AsyncIterator[Rig]:
    """A stack on which no worker runs yet."""
    async with rig(clean_stack, tmp_path) as made:
        yield made
