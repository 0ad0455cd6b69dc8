"""How often a random story is told: the half of its seeds in `make test`, all of them in `make fuzz`."""

from __future__ import annotations

import os


def seeds(count: int) -> range:
    return range(count if "FUZZ_SEED" in os.environ else count // 2)
