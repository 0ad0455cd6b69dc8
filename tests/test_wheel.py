"""What would be published: a wheel, with the native kernel where it was built, works in an environment of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from livesegments.evaluator.kernel import native
from tests.wheel import main

ROOT = Path(__file__).parents[1]


def test_a_wheel_is_whole_in_an_environment_of_its_own(tmp_path: Path) -> None:
    hatchling = Path(sys.executable).parent / "hatchling"
    subprocess.run([hatchling, "build", "-t", "wheel", "-d", tmp_path], check=True, cwd=ROOT)
    (wheel,) = tmp_path.glob("*.whl")
    assert ("abi3" in wheel.name) == native.BUILT
    main(wheel)
