"""The jars of Apache Kafka, exactly those of `kafka.lock.toml`: fetched once per user, each SHA-256 checked.

`python -m livesegments.runtime.embedded.jars COORDINATE…` makes the lock file anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jgo.maven import MavenContext

LOCK = Path(__file__).with_name("kafka.lock.toml")
AT_ONCE = 8
TIMEOUT_S = 30

Progress = Callable[[int, int], None]
"""Called with how many jars are there, and how many there shall be."""


Jar = dict[str, Any]
"""An entry of the lock file: groupId, artifactId, version, packaging, sha256."""


class NoJars(Exception):
    """The jars can't be had, and why."""


def cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "livesegments" / "kafka"


def classpath(progress: Progress | None = None, folder: Path | None = None) -> str:
    """For Java's `-cp`; fetches missing jars into `folder` (default: the user's cache). Raises NoJars."""
    folder = folder or cache()
    wanted = tomllib.loads(LOCK.read_text())["dependencies"]
    paths = [folder / f"{jar['artifactId']}-{jar['version']}.{jar['packaging']}" for jar in wanted]
    if not all(path.exists() for path in paths):  # the files that are there were checked when they came
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with _alone(folder):
                _fetch(wanted, paths, folder, progress or (lambda _have, _total: None))
        except (OSError, RuntimeError) as error:
            raise NoJars(
                f"Apache Kafka's jars can't be had: {error}\n"
                "Set LIVESEGMENTS_KAFKA=HOST:PORT to use a broker that runs already, or try again online."
            ) from error
    return os.pathsep.join(map(str, paths))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time; the others find the jars when it is their turn."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(wanted: list[Jar], paths: list[Path], folder: Path, progress: Progress) -> None:
    from jgo.maven import MavenContext  # noqa: PLC0415  (needed once per user, slow to import)

    missing = [(jar, path) for jar, path in zip(wanted, paths, strict=True) if not path.exists()]
    have = len(paths) - len(missing)
    with tempfile.TemporaryDirectory(dir=folder) as fresh, ThreadPoolExecutor(AT_ONCE) as pool:
        maven = MavenContext(repo_cache=Path(fresh), timeout=TIMEOUT_S)
        progress(have, len(paths))
        for _ in pool.map(lambda item: _fetch_one(maven, *item), missing):
            have += 1
            progress(have, len(paths))


def _fetch_one(maven: MavenContext, jar: Jar, path: Path) -> None:
    component = maven.project(jar["groupId"], jar["artifactId"]).at_version(jar["version"])
    came = component.artifact(packaging=jar["packaging"]).resolve()
    if (found := hashlib.sha256(came.read_bytes()).hexdigest()) != jar["sha256"]:
        raise RuntimeError(f"{path.name} has SHA-256 {found}, not {jar['sha256']} as locked")
    came.rename(path)


def lock(coordinates: list[str]) -> None:
    """Resolves the coordinates and all they need, and writes the lock file."""
    from jgo.env import EnvironmentBuilder, EnvironmentSpec  # noqa: PLC0415
    from jgo.maven import MavenContext  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as fresh:
        maven = MavenContext(repo_cache=Path(fresh), timeout=TIMEOUT_S)
        builder = EnvironmentBuilder(context=maven, cache_dir=Path(fresh) / "environments")
        builder.resolve_lockfile(EnvironmentSpec(coordinates=coordinates)).save(LOCK)


if __name__ == "__main__":
    lock(sys.argv[1:])
