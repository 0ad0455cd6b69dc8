"""The process that answers requests, once nobody is there any more who asked."""

from __future__ import annotations

import io
import subprocess
import sys

from livesegments.history import companion

ECHO = """
import sys
from livesegments.history import companion
for message in companion.messages(sys.stdin.buffer):
    companion.put(sys.stdout.buffer, message)
"""


def test_who_asked_and_is_gone_leaves_a_process_that_ends_without_a_word() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ECHO], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        process.stdout.close()
        process.stdin.write((1 << 17).to_bytes(companion.LENGTH) + bytes(1 << 17))
        process.stdin.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_a_request_that_was_cut_off_is_none() -> None:
    whole = (3).to_bytes(companion.LENGTH) + b"abc"
    assert list(companion.messages(io.BytesIO(whole))) == [b"abc"]
    assert list(companion.messages(io.BytesIO(whole[:-1]))) == []
