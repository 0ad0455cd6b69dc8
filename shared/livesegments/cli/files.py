"""JSON files of segments, as people write them: what is wrong with one is said with its place."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NoReturn

from livesegments.cli.problem import Problem


def read(file: str) -> Any:
    """The JSON of a file; `-` is standard input.

    Raises Problem when it can't be read, is not JSON, or has an object in which a name occurs twice: of two
    values one would be lost.
    """
    try:
        text = (sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()).decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except OSError as error:
        raise Problem(
            f"{named(file)} can't be read: {error.strerror}", advice="give the file of a segment with -f"
        ) from error
    except RecursionError as error:
        raise Problem(f"{named(file)} is nested too deeply", advice="correct it, then repeat") from error
    except ValueError as error:
        raise Problem(f"{named(file)} is not JSON: {error}", advice="correct it, then repeat") from error


def named(file: str) -> str:
    return "standard input" if file == "-" else file


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice!r} occurs twice in one object, beside {', '.join(made)}")
    return made


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no value of JSON")
