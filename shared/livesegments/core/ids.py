"""The rule for ids and names of profiles, events, segments, attributes, tags and groups.

`ann`, `a/b c%`, `..` and `👩` may be ids. An empty text, one of more than `MAX_ID` characters, and one with a
control character (C0, DEL or C1) or a lone surrogate may not: a line break at the end of an id is lost in
paths and logs, and an escape sequence in a name takes over the terminal that shows it.
"""

from __future__ import annotations

import re

MAX_ID = 256

_REFUSED = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def is_id(text: str) -> bool:
    """Whether the text may be an id or a name."""
    if text.isascii() and text.isprintable():  # the usual id, at a tenth of the pattern's cost
        return 0 < len(text) <= MAX_ID
    return 0 < len(text) <= MAX_ID and _REFUSED.search(text) is None


def fault_of(text: str) -> tuple[str, str] | None:
    """The code and the message of the fault in an id or a name; None if there is no fault."""
    if is_id(text):
        return None
    if not text:
        return "empty", "must not be empty"
    if len(text) > MAX_ID:
        return "too_long", f"has {len(text)} characters; at most {MAX_ID} are allowed"
    refused = _REFUSED.search(text)
    assert refused is not None
    return "bad_character", (
        f"has U+{ord(refused[0]):04X} at position {refused.start()}: "
        "control characters and lone surrogates are not allowed"
    )
