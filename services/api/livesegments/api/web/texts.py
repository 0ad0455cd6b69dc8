"""Ids, names and other texts of requests: which characters they take, as types that the routes share.

`ann`, `a/b c%`, `..` and `👩` may be ids of profiles; `core.ids` has the rule. A refusal is worded by
us, and OpenAPI has the same rule as a pattern.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from livesegments.core import ids

CONTROLS = "\\x00-\\x1f\\x7f-\\x9f"
SEGMENT_ID = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
_SEGMENT_ID = re.compile(SEGMENT_ID.rstrip("$") + r"\Z")
INVISIBLE = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800"
    r"\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U000e0000-\U000e0fff"  # as it is: patterns of JSON have no such escape
)
"""What shows nothing by itself, as a set for patterns: characters without width, fillers, selectors, tags."""
_SHOWN = re.compile(f"[^\\s{INVISIBLE}]")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
MAX_DESCRIPTION = 2_000
NAME = f"^[^{CONTROLS}]*[^\\s{CONTROLS}{INVISIBLE}][^{CONTROLS}]*$"


def fault(code: str, message: str) -> PydanticCustomError:
    """What a validator raises; the texts must not be taken for pydantic's templates."""
    return PydanticCustomError(code, "{said}", {"said": message})


def _id(text: str) -> str:
    found = ids.fault_of(text)
    if found is not None:
        raise fault(*found)
    return text


def _segment_id(text: str) -> str:
    if not _SEGMENT_ID.match(text):
        raise fault(
            "bad_id", "must be 1 to 64 letters (a to z), digits, `-` or `_`, the first a letter or a digit"
        )
    return text


def _name(text: str, most: int) -> str:
    if len(text) > most:
        raise fault("too_long", f"has {len(text)} characters; at most {most} are allowed")
    if text and _SHOWN.search(text) is None:
        raise fault("empty", "must not be blank: it has no character that shows")
    return _id(text)


def _description(text: str) -> str:
    if len(text) > MAX_DESCRIPTION:
        raise fault("too_long", f"has {len(text)} characters; at most {MAX_DESCRIPTION} are allowed")
    found = _UNPRINTABLE.search(text)
    if found is not None:
        raise fault(
            "bad_character",
            f"has U+{ord(found[0]):04X} at position {found.start()}: of the control characters only tabs and "
            "line breaks are allowed",
        )
    return text


def _schema(most: int, pattern: str) -> Any:
    return WithJsonSchema({"type": "string", "minLength": 1, "maxLength": most, "pattern": pattern})


SegmentId = Annotated[
    str, AfterValidator(_segment_id), Field(examples=["newsletter"]), _schema(64, SEGMENT_ID)
]
ProfileId = Annotated[str, AfterValidator(_id), _schema(ids.MAX_ID, f"^[^{CONTROLS}]+$")]
AttributeName = ProfileId
"""One rule holds for both: `core.ids`."""
Name = Annotated[
    str,
    AfterValidator(lambda text: _name(text, 200)),
    _schema(200, NAME),
]
Label = Annotated[
    str,
    AfterValidator(lambda text: _name(text, 100)),
    _schema(100, NAME),
]
Folder = Annotated[
    str,
    AfterValidator(lambda text: _name(text, 200) if text else text),
    WithJsonSchema({"type": "string", "maxLength": 200, "pattern": f"^[^{CONTROLS}]*$"}),
]
"""A path: `Campaigns/Spring`; empty: in none."""
Description = Annotated[
    str,
    AfterValidator(_description),
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": MAX_DESCRIPTION,
            "pattern": "^[^\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f]*$",
        }
    ),
]
