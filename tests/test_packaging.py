"""The dependencies that are declared and locked, and the files that are shipped."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.lock").read_text()
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ROLES = ("ingest", "evaluator", "api", "notify", "console", "client", "cli", "embedded")


def declared(*extras: str) -> Iterator[Requirement]:
    for text in [*PROJECT["dependencies"], *(t for e in extras for t in PROJECT["optional-dependencies"][e])]:
        requirement = Requirement(text)
        if requirement.name != PROJECT["name"]:
            yield requirement


def test_every_role_is_an_extra_and_its_dependencies_have_bounds() -> None:
    assert set(PROJECT["optional-dependencies"]) == {*ROLES, "dev"}
    assert [str(each) for each in declared(*ROLES) if not each.specifier] == []


def test_the_lock_says_how_it_is_made_and_names_no_host() -> None:
    assert "make lock" in LOCK.splitlines()[1]
    assert "://" not in LOCK


def test_the_lock_pins_what_is_declared_with_hashes() -> None:
    """`make lock` makes it so again."""
    pins = {
        canonicalize_name(name): version
        for name, version in re.findall(r"^([A-Za-z0-9._-]+)(?:\[.*?])?==([^\s;]+)", LOCK, re.MULTILINE)
    }
    wrong = [
        str(each)
        for each in declared(*ROLES, "dev")
        if not each.specifier.contains(pins.get(canonicalize_name(each.name), "0.dev0"), prereleases=True)
        or canonicalize_name(each.name) not in pins
    ]
    assert wrong == []
    assert LOCK.count("==") <= LOCK.count("--hash=sha256:")


@pytest.mark.parametrize(
    "part", sorted(p for p in ROOT.glob("s*/**/livesegments/*") if p.is_dir()), ids=lambda part: part.name
)
def test_types_are_shipped(part: Path) -> None:
    if part.name != "__pycache__":
        assert (part / "py.typed").is_file()
