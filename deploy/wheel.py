"""A wheel has the native kernel where it was built, and says for which machines; without it, for all."""

from __future__ import annotations

import re
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

WITHIN = "livesegments/evaluator/kernel/_native.abi3.so"
OLDEST = (2, 17)
"""The first glibc that has a name of its own among the platforms of wheels."""


class Kernel(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        library = Path(self.root) / "services/evaluator" / WITHIN
        if self.target_name == "wheel" and version != "editable" and library.is_file():
            build_data["pure_python"] = False
            build_data["tag"] = f"cp311-abi3-{platform(library)}"
            build_data["force_include"][str(library)] = WITHIN


def platform(library: Path) -> str:
    """Of Linux with glibc, the oldest one that has all that the library asks of it."""
    name = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    asked = {
        (int(major), int(minor)) for major, minor in re.findall(rb"GLIBC_(\d+)\.(\d+)", library.read_bytes())
    }
    if not name.startswith("linux_") or not asked:
        return name
    major, minor = max(OLDEST, *asked)
    return f"manylinux_{major}_{minor}_{name.removeprefix('linux_')}"
