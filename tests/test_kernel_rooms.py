"""The native kernel's rooms: each is on the map of `docs/kernel.md`, beside rooms of the core, and none is unsafe."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
CRATE = ROOT / "services/evaluator/kernel"
ROOMS = {path.stem: path for path in (CRATE / "src").glob("*.rs")}
PLACES = [
    ROOT / "shared/livesegments/core",
    ROOT / "shared/livesegments",
    ROOT / "services/evaluator/livesegments/evaluator",
]
OTHER_NAMES = {"heapq"}
"""Names on the map that are no modules of ours, beside classes."""


def rows() -> list[tuple[list[str], list[str], str]]:
    """Of the map: rooms of the kernel, names in the other column, and that column."""
    lines = re.findall(r"^\| (`.*) \| (.*) \|$", (ROOT / "docs/kernel.md").read_text(), re.MULTILINE)
    return [(re.findall(r"`([^`]+)`", left), re.findall(r"`([^`]+)`", right), right) for left, right in lines]


def test_every_room_is_on_the_map_once() -> None:
    named = [name for left, _, _ in rows() for name in left if "/" not in name]
    assert sorted(named) == sorted(ROOMS)


def test_the_map_leads_to_rooms_of_the_core() -> None:
    for left, names, right in rows():
        same = {*left} - {*names} if right.startswith("the same") else set()  # others are explained
        there = same | {*names} - ({*left} if same else set()) - OTHER_NAMES
        for name in {each.split(".")[0] for each in there if each.islower()}:
            found = [place / f"{name}{end}" for place in PLACES for end in (".py", "")]
            assert any(path.exists() for path in found), name


def test_no_code_of_ours_is_unsafe() -> None:
    manifest = tomllib.loads((CRATE / "Cargo.toml").read_text())
    assert manifest["lints"]["rust"]["unsafe_code"] == "forbid"
    assert [name for name, path in ROOMS.items() if re.search(r"\bunsafe\b", path.read_text())] == []
