"""The races with fresh seeds, until it is stopped or a disagreement is found: of one profile, of several that go into
each other, of the native kernel, of the language in SQL, and of a whole evaluator that all goes wrong for.

The kernel is given mutated bytes besides.

python -m tests.properties.fuzz [SEED]   with a seed, just that one again
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from itertools import count
from random import Random, SystemRandom

import structlog
from hypothesis import HealthCheck, given, seed, settings

from livesegments.evaluator.kernel import native
from tests.properties.crowded import crowded
from tests.properties.family import Family
from tests.properties.family_stories import Story, stories
from tests.properties.histories import History, histories
from tests.properties.kernel_race import Count, KernelRace
from tests.properties.mutants import Mutants
from tests.properties.race import Race
from tests.properties.restless import Restless
from tests.properties.sql_race import SqlRace
from tests.properties.twins import twins
from tests.simulation.loop import run as run_loop
from tests.simulation.test_joint import joint

FRESH = 8
"""A seed's independent examples. Hypothesis begins with the simplest; from the tenth on most would be
variations of those before, which explore a language this wide far less than fresh ones."""
TOLD_EVERY = 100


SQL_EVERY = 10
"""One seed in this many is raced against SQL as well, which takes far longer."""
RESTLESS_EVERY = 2
"""So is one in this many with small chunks."""
MUTANTS_EVERY = 2
"""So is one in this many with mutated bytes for the kernel."""
JOINT_EVERY = 5
"""So is the seed of a simulation."""


def run(number: int, race_of: Callable[[History], Race] = Race) -> int:
    """Races the histories of one seed: those of an odd one are crowded, or full of twins. How often core and oracle
    were compared."""
    compared = 0
    drawn = (histories(), crowded(), histories(), twins())[number % 4]

    @seed(number)
    @settings(max_examples=1 + FRESH, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(drawn)
    def race(history: History) -> None:
        nonlocal compared
        racing = race_of(history)
        racing.run()
        compared += racing.compared

    race()
    return compared


def run_kernel(number: int, count: Count) -> None:
    """Where the native kernel was built."""
    if native.BUILT:
        run(number, lambda history: KernelRace(history, count))


def run_mutants(number: int) -> None:
    if native.BUILT:
        run(number, lambda history: Mutants(history, Random(number)))


def run_family(number: int) -> None:
    @seed(number)
    @settings(max_examples=1 + FRESH, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(stories())
    def race(story: Story) -> None:
        Family(story).run()

    race()


def run_joint(number: int) -> None:
    run_loop(joint(number))


def fresh_seed() -> int:
    return SystemRandom().randrange(2**32)


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    if len(sys.argv) > 1:
        run(int(sys.argv[1]))
        run(int(sys.argv[1]), Restless)
        run(int(sys.argv[1]), SqlRace)
        run_kernel(int(sys.argv[1]), Count())
        run_mutants(int(sys.argv[1]))
        run_family(int(sys.argv[1]))
        run_joint(int(sys.argv[1]))
        return
    natively = Count()
    for done in count():
        if done % TOLD_EVERY == 0:
            print(f"{done * FRESH} examples agreed", flush=True)
            print(f"kernel: {natively}", flush=True)
            print(f"mutants: {Mutants.read} read, {Mutants.refused} refused", flush=True)
        number = fresh_seed()
        try:
            run(number)
            run_kernel(number, natively)
            if done % MUTANTS_EVERY == 0:
                run_mutants(number)
            run_family(number)
            if done % RESTLESS_EVERY == 0:
                run(number, Restless)
            if done % SQL_EVERY == 0:
                run(number, SqlRace)
            if done % JOINT_EVERY == 0:
                run_joint(number)
        except (AssertionError, TimeoutError):
            print(f"again: make fuzz SEED={number}", flush=True)
            raise


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("stopped")
