"""The evaluator without its tail, which is no way to run it: `bench/tails.py` compares the two."""

import runpy

from livesegments.store.commit import Commit
from livesegments.store.tail import Entry


def _forget(self: Commit, entry: Entry, told: bytes | None) -> None:
    """Takes the place of `Commit.remember`."""


if __name__ == "__main__":
    Commit.remember = _forget  # type: ignore[method-assign]
    runpy.run_module("livesegments.evaluator.app", run_name="__main__", alter_sys=True)
