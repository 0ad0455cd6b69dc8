"""The heart of the project: core and oracle agree on everything, whatever happens. The seeds are the same each time; `make fuzz` draws fresh ones."""

from __future__ import annotations

import pytest

from tests.effort import effort
from tests.properties.fuzz import run
from tests.properties.restless import Restless

PARTS, SEEDS = effort(3, 10), 10
COMPARED = effort(6_000, 20_000)
"""So often, at least, all members and all next changes are the same in core and oracle: after every command of every
history where both know the profile."""


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.timeout(900)  # a disagreement is made small before it is reported, which takes minutes
def test_core_and_oracle_agree(part: int) -> None:
    compared = 0
    for number in range(part * SEEDS, (part + 1) * SEEDS):
        print(f"make fuzz SEED={number}")
        compared += run(number)
    print(f"{compared} comparisons")
    assert compared >= COMPARED / PARTS


@pytest.mark.parametrize("part", range(effort(1, 2)))
@pytest.mark.timeout(900)
def test_core_and_oracle_agree_with_small_chunks(part: int) -> None:
    """Crowded histories alone: the others seldom have enough entries for a chunk."""
    for number in range(part * SEEDS, (part + 1) * SEEDS):
        print(f"make fuzz SEED={2 * number + 1}")
        run(2 * number + 1, Restless)
