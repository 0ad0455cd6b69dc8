"""The day on which the weeks of a workspace begin: what a definition says of weeks, made explicit.

Example: in a workspace whose weeks begin on Sunday, `{"period": "week"}` is stored, and shown, as
`{"period": "sunday_week"}`. So the stored definition alone says what it means, also after the workspace has
changed its mind.
"""

from __future__ import annotations

from typing import Any

MONDAY, SUNDAY = "monday", "sunday"
_SUNDAYS = {"period": ("week", "sunday_week"), "of": ("weeks", "sunday_weeks")}
"""The fields that name weeks, of windows, measures and ops on dates: the word, and that of Sunday's."""


def with_weeks(document: Any, week_start: str) -> Any:
    """The JSON of a sound definition, with the weeks of a workspace; itself where they begin on Monday."""
    return _sundays(document) if week_start == SUNDAY else document


def _sundays(value: Any) -> Any:
    if isinstance(value, list):
        return [_sundays(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {name: _sunday(name, each) for name, each in value.items()}


def _sunday(name: str, value: Any) -> Any:
    word, sundays = _SUNDAYS.get(name, (None, None))
    return sundays if isinstance(value, str) and value == word else _sundays(value)
