"""The race with fresh seeds: a few for the tests, or until it is stopped or a disagreement is found.

python -m tests.properties.fuzz [SEED]   with a seed, just that one again
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import count
from random import SystemRandom

from hypothesis import HealthCheck, given, seed, settings

from tests.properties.crowded import crowded
from tests.properties.histories import History, histories
from tests.properties.race import Race
from tests.properties.sql_race import SqlRace

FRESH = 8
"""A seed's independent examples. Hypothesis begins with the simplest; from the tenth on most would be
variations of those before, which explore a language this wide far less than fresh ones."""
TOLD_EVERY = 100


SQL_EVERY = 10
"""One seed in this many is raced against SQL as well, which takes far longer."""


def run(number: int, race_of: Callable[[History], Race] = Race) -> None:
    """Races the histories of one seed: those of an odd one are crowded."""

    @seed(number)
    @settings(max_examples=1 + FRESH, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(crowded() if number % 2 else histories())
    def race(history: History) -> None:
        race_of(history).run()

    race()


def fresh_seed() -> int:
    return SystemRandom().randrange(2**32)


def main() -> None:
    if len(sys.argv) > 1:
        run(int(sys.argv[1]))
        run(int(sys.argv[1]), SqlRace)
        return
    for done in count():
        if done % TOLD_EVERY == 0:
            print(f"{done * FRESH} examples agreed", flush=True)
        number = fresh_seed()
        try:
            run(number)
            if done % SQL_EVERY == 0:
                run(number, SqlRace)
        except AssertionError:
            print(f"again: make fuzz SEED={number}", flush=True)
            raise


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("stopped")
