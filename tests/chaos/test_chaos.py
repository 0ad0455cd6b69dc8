"""The short form of `make chaos`, which runs with all other tests."""

from functools import partial
from pathlib import Path

import pytest

from tests.chaos.scenario import Fault, kill_kafka, kill_valkey, kill_worker, zombie
from tests.chaos.scenario import trial as whole_trial
from tests.effort import effort

trial = partial(whole_trial, every=8)


WORKERS, SERVERS = [kill_worker, kill_worker], [kill_valkey, kill_kafka]


@pytest.mark.parametrize(
    "faults", effort([[kill_worker, *SERVERS]], [WORKERS, SERVERS, [*WORKERS, *SERVERS]])
)
async def test_what_dies_changes_nothing(faults: list[Fault], tmp_path: Path) -> None:
    comparisons, _ = await trial(tmp_path, faults, print)
    assert [each for each in comparisons if not each.equal] == []
    assert sum(each.members for each in comparisons) > 0


async def test_a_zombie_writes_nothing(tmp_path: Path) -> None:
    comparisons, refused = await trial(tmp_path, [zombie], print)
    assert refused > 0
    assert [each for each in comparisons if not each.equal] == []
