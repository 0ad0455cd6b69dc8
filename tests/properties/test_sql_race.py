"""SQL over what happened agrees with the oracle, whatever happens. The seeds are the same each time."""

from __future__ import annotations

import pytest

from tests.effort import effort
from tests.properties.fuzz import run
from tests.properties.sql_race import SqlRace

PARTS, SEEDS = effort(1, 4), 1


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.timeout(900)  # a disagreement is made small before it is reported, which takes minutes
def test_sql_and_oracle_agree(part: int) -> None:
    for number in range(part * SEEDS, (part + 1) * SEEDS):
        print(f"make fuzz SEED={number}")
        run(number, SqlRace)
