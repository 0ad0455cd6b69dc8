"""The race with chunks of two or three entries, and a profile that is stored and read back after every step.

So few entries make chunks split, empty and become lists again all the time, as thousands do where they are large.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from livesegments.core import chunks
from livesegments.core.profile import decode
from livesegments.core.step import Step
from tests.properties.race import Race


class Restless(Race):
    def run(self) -> None:
        with small_chunks():
            super().run()

    def _take(self, step: Step) -> None:
        super()._take(step)
        if step.changed and self.stored is not None:
            self.profile = decode(self.stored)


@contextmanager
def small_chunks(most: int = 3) -> Iterator[None]:
    with patch.multiple(chunks, MOST=most, LISTED=most + 1, FEW=most - 1, PIECES=3):
        yield
