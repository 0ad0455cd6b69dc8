"""A wheel in an environment of its own: `python -m tests.wheel WHEEL`.

What it depends on is taken from the environment that made it; of the wheel itself, nothing. Where the wheel has the
native kernel, an event goes through it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

KERNEL = "livesegments/evaluator/kernel/_native.abi3.so"
TRY = """
import sys
from pathlib import Path
from livesegments.core.definition import Event as Asked
from livesegments.core.event import Event
from livesegments.core.plan import Segment, compile
from livesegments.evaluator.kernel import native
import livesegments.api, livesegments.console, livesegments.ingest, livesegments.notify
assert Path(native.__file__).is_relative_to(sys.prefix), native.__file__
assert native.BUILT == (sys.argv[1] == "True"), "whether it has the kernel"
if native.BUILT:
    assert Path(native._native.__file__).is_relative_to(sys.prefix)
    plan = compile("w", "UTC", [Segment("bought", 1, 1, Asked("order", value=1))], 1)
    stepped = native.Kernels().of(plan).event(b"", Event("e", "w", "p", "order", 1_000, {}), 1_000)
    assert [each.segment for each in stepped.transitions] == ["bought"]
print("the wheel is whole,", "with the native kernel" if native.BUILT else "without the native kernel")
"""


def main(wheel: Path) -> None:
    has_kernel = KERNEL in ZipFile(wheel).namelist()
    with TemporaryDirectory() as folder:
        venv.create(folder)
        python = Path(folder) / "bin/python"
        uv = Path(sys.executable).parent / "uv"
        subprocess.run(
            [uv, "pip", "install", "--quiet", "--offline", "--no-deps", "--python", python, wheel], check=True
        )
        # its packages come first there: PYTHONPATH would be before them
        beside = Path(sysconfig.get_path("purelib", vars={"base": folder})) / "beside.pth"
        beside.write_text(f"import sys; sys.path.append({sysconfig.get_path('purelib')!r})\n")
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        subprocess.run([python, "-c", TRY, str(has_kernel)], check=True, cwd=folder, env=environment)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
