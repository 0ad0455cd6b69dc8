"""A folder that is removed when its owner ends, however that happens.

A small process waits for the end of its standard input, which only the owner holds open, then removes the
folder: an owner that is killed outright can't do it itself.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BROOM = """
import os, shutil, sys, time
sys.stdin.read()
for _ in range(100):  # servers that die with the same owner may still write for a moment
    shutil.rmtree(sys.argv[1], ignore_errors=True)
    if not os.path.exists(sys.argv[1]):
        break
    time.sleep(0.1)
"""
GONE_S = 15


@contextmanager
def vanishing(prefix: str) -> Iterator[Path]:
    """A new folder for the user's eyes alone."""
    folder = tempfile.mkdtemp(prefix=prefix)
    broom = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", BROOM, folder],
        stdin=subprocess.PIPE,
        start_new_session=True,  # an interrupt at the terminal is not for it
    )
    try:
        yield Path(folder)
    finally:
        assert broom.stdin is not None
        broom.stdin.close()
        broom.wait(GONE_S)
