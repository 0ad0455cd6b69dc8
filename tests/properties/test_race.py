"""The heart of the project: core and oracle agree on everything, whatever happens."""

from __future__ import annotations

import pytest

from tests.properties.fuzz import FRESH, fresh_seed, run

PARTS, SEEDS = 10, 25
assert PARTS * SEEDS * FRESH >= 2_000


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.timeout(900)  # a disagreement is made small before it is told, which takes minutes
def test_core_and_oracle_agree(part: int) -> None:
    for _ in range(SEEDS):
        number = fresh_seed()
        print(f"make fuzz SEED={number}")
        run(number)
