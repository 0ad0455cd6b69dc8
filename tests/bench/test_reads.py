"""The load generator counts what is answered, in both of its loops; the table tells what it counted."""

from __future__ import annotations

import msgspec
import pytest

from bench import load, reads


@pytest.mark.parametrize("per_s", [0, 200])
async def test_the_generator_counts_answers(per_s: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "WARM_UP_S", 0.1)
    async with reads._control() as port:
        wanted = load.Wanted(port, reads.requests(40), connections=2, seconds=0.3, per_s=per_s)
        found = await load.load(wanted)
    assert found.requests_per_s > 0 and found.statuses == {} and found.worst_ms >= found.p50_ms


def test_the_table_tells_what_was_not_answered_well() -> None:
    good = load.Load(7, 100.0, 1.0, 2.0, 3.0, 0.5, {})
    bad = msgspec.structs.replace(good, statuses={"404": 3, "503": 4})
    rows = reads.table([reads.Reads(0.5, good, bad, good)])
    assert len(rows) == 7 and rows[3].endswith("| 7 |") and "100 | 1.0 ms | 2.0 ms | 3.0 ms" in rows[2]
