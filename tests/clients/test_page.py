"""docs/clients.md lists the libraries that are run here, those and no others, at the versions that are locked."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.clients.libraries import HERE, LIBRARIES, Library

ROOT = Path(__file__).parents[2]


def test_every_library_of_the_page_is_run_and_every_library_that_is_run_is_on_the_page() -> None:
    page = (ROOT / "docs" / "clients.md").read_text()
    rows = re.findall(r"^\| ([^|]+) \| `([^|]+)` \| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE)
    assert rows == [(each.name, each.package, each.version, each.language) for each in LIBRARIES]


@pytest.mark.parametrize("library", LIBRARIES, ids=str)
def test_what_is_locked_is_the_version_that_is_named(library: Library) -> None:
    if library.language == "Python":
        locked = re.search(rf"^{re.escape(library.package)}==(\S+)", library.lock.read_text(), re.MULTILINE)
        assert locked is not None and locked[1] == library.version
    else:
        package = json.loads(library.lock.read_text())["packages"][f"node_modules/{library.module}"]
        assert package["version"] == library.version
        assert package.get("name", library.module) == library.package


def test_no_lock_names_a_host() -> None:
    """Which registry or mirror is asked is for the machine to say."""
    for lock in (HERE / "python").glob("*.txt"):
        assert "://" not in lock.read_text()
    packages = json.loads((HERE / "javascript" / "package-lock.json").read_text())["packages"]
    assert not any("resolved" in package for package in packages.values())
