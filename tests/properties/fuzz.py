"""The race with fresh seeds until it is stopped or a disagreement is found.

python -m tests.properties.fuzz [SEED]   with a seed, just that one again
"""

from __future__ import annotations

import sys
from itertools import count
from random import SystemRandom

from hypothesis import given, seed, settings

from tests.properties.histories import History, histories
from tests.properties.race import Race
from tests.properties.test_race import quick

EXAMPLES = 500
"""A seed's; small, so that the seeds told are close to what is running."""


def run(number: int) -> None:
    @seed(number)
    @settings(quick, max_examples=EXAMPLES, database=None)
    @given(histories())
    def race(history: History) -> None:
        Race(history).run()

    race()


def main() -> None:
    if len(sys.argv) > 1:
        run(int(sys.argv[1]))
        return
    for done in count():
        number = SystemRandom().randrange(2**32)
        print(f"{done * EXAMPLES} examples agreed; next seed {number}", flush=True)
        run(number)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("stopped")
