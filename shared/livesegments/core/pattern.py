"""Patterns of `matches`: a bound on their size, and one compiled form of each pattern, shared by all
conditions.

`"[a-z]{0,1000}"` has 13 characters and compiles to 2,004 instructions. The cost of a pattern is therefore
judged by RE2's program size, and the check's own work is bounded beforehand: a pattern is compiled for the
check with so little memory that RE2 gives up early on a large one, and what makes reading slow (Unicode
classes such as `\\pL`: 0.16 ms each) is counted in the text before anything is compiled.

A plan compiles no pattern: the first value that is matched does, once for all segments that use it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from weakref import WeakValueDictionary

import re2
from msgspec import Struct

MAX_PATTERN = 256
"""Characters of one pattern."""
MAX_PROGRAM = 4_000
"""Instructions that RE2 makes of one pattern."""
MAX_ALL_TEXT = 8_192
MAX_ALL_PROGRAMS = 20_000
MAX_ALL_CLASSES = 100
"""Characters, instructions and Unicode classes of all different patterns of one definition together."""

_CHECK_BYTES = 96 * 1024
"""RE2's memory while a pattern is checked: it gives up on patterns far beyond `MAX_PROGRAM`."""
_MATCH_BYTES = 1024 * 1024
"""RE2's memory for matching; beyond it RE2 forgets states and makes them again: slower, still linear."""
_CLASS = re.compile(r"\\[pP]")


class Size(Struct, frozen=True):
    """`program` is what a pattern counts for; `code` and `reason` say why it is refused, if it is."""

    program: int
    code: str | None = None
    reason: str = ""


@lru_cache(maxsize=4_096)
def size(text: str, ignore_case: bool) -> Size:
    """Compiles a pattern of at most `MAX_PATTERN` characters as the check does."""
    try:
        program = int(_compiled(text, ignore_case, _CHECK_BYTES).programsize)
    except (re2.error, UnicodeError) as error:
        given = error.args[0] if error.args else "not understood"
        reason = given.decode(errors="replace") if isinstance(given, bytes) else str(given)
        if "too large" not in reason:
            return Size(0, "bad_pattern", f"is not a pattern in RE2 syntax: {reason}")
        program = MAX_PROGRAM + 1
    if program > MAX_PROGRAM:
        told = (
            f"compiles to more than {MAX_PROGRAM} instructions; repetitions such as {{0,1000}} make it large"
        )
        return Size(program, "too_large", told)
    return Size(program)


class Patterns:
    """The different patterns of one definition, while it is checked."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bool], Size] = {}
        self._characters = self._classes = self._programs = 0

    def refused(self, text: str, ignore_case: bool) -> tuple[str, str] | None:
        """A fault's code and message; None if the pattern is sound. Beyond a bound nothing is compiled."""
        if len(text) > MAX_PATTERN:
            return "too_long", f"has {len(text)} characters; a pattern at most {MAX_PATTERN}"
        known = self._known.get((text, ignore_case))
        if known is None:
            self._characters += len(text)
            self._classes += len(_CLASS.findall(text))
            if self._beyond() is None:
                known = self._known[text, ignore_case] = size(text, ignore_case)
                self._programs += known.program
        if known is not None and known.code is not None:
            return known.code, known.reason
        beyond = self._beyond()
        return None if beyond is None else ("too_large", f"the definition's patterns have together {beyond}")

    def _beyond(self) -> str | None:
        if self._characters > MAX_ALL_TEXT:
            return f"more than {MAX_ALL_TEXT} characters"
        if self._classes > MAX_ALL_CLASSES:
            return f"more than {MAX_ALL_CLASSES} Unicode classes (\\p)"
        if self._programs > MAX_ALL_PROGRAMS:
            return f"more than {MAX_ALL_PROGRAMS} instructions when compiled"
        return None


class Pattern:
    """A pattern that is compiled when it is first matched."""

    __slots__ = ("__weakref__", "_compiled", "_ignore_case", "_text")

    def __init__(self, text: str, ignore_case: bool) -> None:
        self._text, self._ignore_case = text, ignore_case
        self._compiled: Any = None

    def found(self, value: str) -> bool:
        """Whether it is found anywhere in `value`."""
        if self._compiled is None:
            self._compiled = _compiled(self._text, self._ignore_case, _MATCH_BYTES)
        return self._compiled.search(value) is not None


_shared: WeakValueDictionary[tuple[str, bool], Pattern] = WeakValueDictionary()


def pattern(text: str, ignore_case: bool) -> Pattern:
    """The one `Pattern` of this text while anybody uses it."""
    known = _shared.get((text, ignore_case))
    if known is None:
        known = _shared[text, ignore_case] = Pattern(text, ignore_case)
    return known


def _compiled(text: str, ignore_case: bool, max_bytes: int) -> Any:
    """Groups capture nothing: where a match lies is never asked."""
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.case_sensitive = not ignore_case
    options.max_mem = max_bytes
    return re2.compile(text, options)


def forget() -> None:
    """Drops what the check remembers of patterns (to measure it)."""
    size.cache_clear()
    re2.purge()
