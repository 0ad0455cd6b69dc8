"""The heart of the project: core and oracle agree on everything, whatever happens. The seeds are the same each time; `make fuzz` draws fresh ones."""

from __future__ import annotations

import pytest

from tests.properties.fuzz import FRESH, run

PARTS, SEEDS = 10, 25
assert PARTS * SEEDS * FRESH >= 2_000


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.timeout(900)  # a disagreement is made small before it is reported, which takes minutes
def test_core_and_oracle_agree(part: int) -> None:
    for number in range(part * SEEDS, (part + 1) * SEEDS):
        print(f"make fuzz SEED={number}")
        run(number)
