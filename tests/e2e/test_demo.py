"""The demo, shortened to the smaller log: every membership proven, and nothing left behind."""

from __future__ import annotations

import asyncio
import json
import os
from asyncio.subprocess import PIPE
from pathlib import Path

from livesegments.cli.demo import shop
from tests.e2e.conftest import COMMAND

LIMIT_S = 120


def left_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_the_demo_proves_every_membership_and_leaves_nothing(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        COMMAND, "demo", "--only", "shop", "--json",
        stdout=PIPE, stderr=PIPE, env=os.environ | {"TMPDIR": str(tmp_path)},
    )  # fmt: skip
    async with asyncio.timeout(LIMIT_S):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()[-3_000:]
    told = [json.loads(line) for line in out.splitlines()]
    assert all(item["equal"] for item in told)
    proven = [item["comparison"] for item in told if "comparison" in item]
    assert [item["segment"] for item in proven] == [*shop.LOG.segments] * len(shop.LOG.checkpoints)
    assert sum(item["members"] for item in proven) > 1_000
    created, edited = (item["late"] for item in told if "late" in item)
    assert (created["change"], edited["change"]) == ("created", "edited")
    assert edited["comparison"]["recomputed"] == created["entered"] + edited["entered"]
    assert created["exited"] == edited["exited"] == 0
    assert created["causes"] == edited["causes"] == ["backfill"]
    (asked,) = (item["asked"] for item in told if "asked" in item)
    assert asked["explained"]["said"]["in"]
    assert sum(each["enter"] + each["leave"] for each in asked["foreseen"]) > 100
    assert [item["segment"] for item in asked["then"]] == [*shop.LOG.segments]
    assert sum(item["recomputed"] for item in asked["then"]) > 500
    assert left_in(tmp_path) == []
