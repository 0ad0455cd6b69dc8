"""Values of declared attributes, read as their type: `"42"` of a number as 42."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

from livesegments.core.declared import MAX_FORM, Declared
from livesegments.core.fault import kind_name
from livesegments.core.value import kind
from livesegments.core.window import parse_date

MAX_SHOWN = 60
INT64 = 1 << 63
END_MS = 253_402_300_800_000
"""The first instant of the year 10000."""
SECONDS_BELOW = 100_000_000_000
"""A number below it is one of seconds since 1970, another one of milliseconds."""
TRUE, FALSE = frozenset(("true", "yes", "1")), frozenset(("false", "no", "0"))
PARTS = {
    "YYYY": r"(?P<year>\d{4})",
    "MM": r"(?P<month>\d{1,2})",
    "DD": r"(?P<day>\d{1,2})",
    "HH": r"(?P<hour>\d{1,2})",
    "mm": r"(?P<minute>\d{2})",
    "ss": r"(?P<second>\d{2})",
}
"""The parts of a date's form."""
_PART = re.compile("|".join(PARTS))
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_OFFSET = re.compile(r"(Z|[+-]\d{2}(:?\d{2})?)$", re.ASCII)
DAY_LENGTH = len("2022-07-01")


class Misfit(ValueError):
    """A value that is none of the declared type; the message says what it must be."""


def read(declared: Declared, value: Any) -> Any:
    """The value as it is kept; None, which removes the attribute, stays. Raises Misfit."""
    if value is None:
        return None
    found = _READERS[declared.type](declared, value)
    if declared.choices:
        for item in found if isinstance(found, list) else (found,):
            if item not in declared.choices:
                raise Misfit(f"{shown(item)} is none of its {len(declared.choices)} choices")
    return found


def _text(_: Declared, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if kind(value) == "number":
        return str(value)
    raise Misfit(f"must be a text, not {kind_name(value)}")


def _number(_: Declared, value: Any) -> int | float:
    if kind(value) == "number":
        found: int | float = value
    elif isinstance(value, str) and _WHOLE.fullmatch(text := value.strip()) and len(text) <= MAX_SHOWN:
        found = int(text)
    elif isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        found = float(value.strip())
    else:
        raise Misfit(f"must be a number such as 42 or 1.5, not {shown(value)}")
    if not (-INT64 <= found < INT64 if type(found) is int else isfinite(found)):
        raise Misfit("must be a finite number; whole ones have at most 64 bits")
    return found


def _boolean(_: Declared, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    said = str(value).strip().casefold() if type(value) in (str, int) else ""
    if said in TRUE or said in FALSE:
        return said in TRUE
    raise Misfit(f"must be true or false, yes or no, 1 or 0, not {shown(value)}")


def _date(declared: Declared, value: Any) -> str:
    if kind(value) == "number":
        return since_1970(value)
    if not isinstance(value, str):
        raise Misfit(f"must be a date, not {kind_name(value)}")
    text = value.strip()
    text = _formed(declared.form, text) or text if declared.form else text
    if parse_date(text, UTC) is None:
        forms = f"{declared.form} or ISO 8601" if declared.form else "ISO 8601, such as 2022-07-01"
        raise Misfit(f"{shown(value)} is no date: write it as {forms}")
    if declared.zone and len(text) > DAY_LENGTH and not _OFFSET.search(text[DAY_LENGTH:]):
        at_ms = parse_date(text, ZoneInfo(declared.zone))
        if at_ms is None:
            raise Misfit(f"{shown(value)} is no date of the years that are kept")
        return _iso(at_ms)
    return text


def _list(_: Declared, value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        raise Misfit(f"must be a list, not {kind_name(value)}")
    return [value]


def _point(_: Declared, value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    halves = value.split(",") if isinstance(value, str) else ()
    if len(halves) == 2 and all(_NUMBER.fullmatch(half.strip()) for half in halves):
        return {"lat": float(halves[0]), "lon": float(halves[1])}
    raise Misfit(f'must be {{"lat": …, "lon": …}} or "52.5,13.4", not {shown(value)}')


_READERS: dict[str, Callable[[Declared, Any], Any]] = {
    "text": _text,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "list": _list,
    "point": _point,
}


def since_1970(number: int | float) -> str:
    """A date that is a number of seconds or milliseconds, as ISO 8601. Raises Misfit."""
    if not 0 <= number < END_MS:
        raise Misfit("must lie between the years 1970 and 9999")
    return _iso(round(number * 1_000) if number < SECONDS_BELOW else round(number))


def _iso(at_ms: int) -> str:
    seconds, ms = divmod(at_ms, 1_000)
    try:
        text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    except (ValueError, OverflowError, OSError):
        raise Misfit("must lie between the years 1 and 9999") from None
    return f"{text}.{ms:03}Z" if ms else f"{text}Z"


def form_fault(form: str) -> str:
    """Why it is no form of dates; empty: it is one."""
    parts = _PART.findall(form)
    if len(form) > MAX_FORM:
        return f"has {len(form)} characters; at most {MAX_FORM} are allowed"
    if not {"YYYY", "MM", "DD"} <= set(parts) or len(parts) != len(set(parts)):
        return f"needs YYYY, MM and DD, each once, and may have HH, mm, ss: {form!r}"
    if "HH" not in parts and ("mm" in parts or "ss" in parts):
        return "has minutes or seconds without HH"
    rest = _PART.sub("", form)
    if any(each.isalnum() and each != "T" for each in rest):
        return f"has {rest!r} beside its parts: only marks and blanks may stand between them"
    return ""


@lru_cache(1_024)
def _pattern(form: str) -> re.Pattern[str]:
    pieces, end = [], 0
    for match in _PART.finditer(form):
        pieces += [re.escape(form[end : match.start()]), PARTS[match.group()]]
        end = match.end()
    return re.compile("".join(pieces) + re.escape(form[end:]), re.ASCII)


def _formed(form: str, text: str) -> str | None:
    """A text of this form as ISO 8601; whether there is such a day is not looked at."""
    match = _pattern(form).fullmatch(text)
    if match is None:
        return None
    parts = match.groupdict()
    day = f"{parts['year']}-{int(parts['month']):02}-{int(parts['day']):02}"
    if "hour" not in parts:
        return day
    return f"{day}T{int(parts['hour']):02}:{parts.get('minute') or '00'}:{parts.get('second') or '00'}"


def shown(value: Any) -> str:
    told = repr(value)
    return told if len(told) <= MAX_SHOWN else f"{told[:MAX_SHOWN]}…"
