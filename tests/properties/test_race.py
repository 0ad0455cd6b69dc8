"""The heart of the project: core and oracle agree on everything, whatever happens. The seeds are the same each time; `make fuzz` draws fresh ones."""

from __future__ import annotations

import pytest

from tests.properties.fuzz import FRESH, run
from tests.properties.restless import Restless

PARTS, SEEDS = 10, 25
assert PARTS * SEEDS * FRESH >= 2_000


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.timeout(900)  # a disagreement is made small before it is reported, which takes minutes
def test_core_and_oracle_agree(part: int) -> None:
    for number in range(part * SEEDS, (part + 1) * SEEDS):
        print(f"make fuzz SEED={number}")
        run(number)


@pytest.mark.parametrize("part", range(PARTS // 5))
@pytest.mark.timeout(900)
def test_core_and_oracle_agree_with_small_chunks(part: int) -> None:
    """Crowded histories alone: the others seldom have enough entries for a chunk."""
    for number in range(part * SEEDS, (part + 1) * SEEDS):
        print(f"make fuzz SEED={2 * number + 1}")
        run(2 * number + 1, Restless)
