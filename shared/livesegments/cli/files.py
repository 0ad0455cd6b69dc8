"""Files as people write them: JSON of segments, a fault in which is named with its place; ids of profiles."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from livesegments.cli.problem import Problem
from livesegments.core.json_keys import repeated

BOM = b"\xef\xbb\xbf"


def read(file: str) -> Any:
    """The JSON of a file; `-` is standard input.

    Raises Problem when it can't be read, is not JSON, or has an object in which a key stands twice: of two
    values one would be lost.
    """
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        value = msgspec.json.decode(data := data.removeprefix(BOM))
        fault = repeated(data, value)
    except OSError as error:
        raise Problem(
            f"{named(file)} can't be read: {error.strerror}", advice="give the file of a segment with -f"
        ) from error
    except RecursionError as error:
        raise Problem(f"{named(file)} is nested too deeply", advice="correct it, then repeat") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem(f"{named(file)} is not JSON: {error}", advice="correct it, then repeat") from error
    if fault is not None:
        raise Problem(f"{named(file)} has a key twice", advice="correct it, then repeat", faults=(fault,))
    return value


def ids_of(file: Path | None) -> list[str]:
    """The ids of profiles in a file, one a line; `-` is standard input. Raises Problem."""
    if file is None:
        return []
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"{file} can't be read: {error}", advice="give a file of UTF-8 text") from error
    return [line for line in text.splitlines() if line]


def named(file: str) -> str:
    return "standard input" if file == "-" else file
