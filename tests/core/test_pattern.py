"""A pattern is compiled when a value is first matched, once for all conditions that use it."""

from __future__ import annotations

from typing import Any

import pytest

from livesegments.core import pattern
from livesegments.core.event import PROFILE, Event
from livesegments.core.step import on_event
from tests.core.test_step import plan_of

LARGE = "[a-z]{0,900}"


def matches(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "attribute", "name": "x", "op": "matches", "value": text, **more}


def test_a_plan_compiles_no_pattern_and_a_value_compiles_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[tuple[str, bool]] = []
    really = pattern._compiled

    def noted(text: str, ignore_case: bool, max_bytes: int) -> Any:
        compiled.append((text, ignore_case))
        return really(text, ignore_case, max_bytes)

    monkeypatch.setattr(pattern, "_compiled", noted)
    where = [{"property": "x", "op": "matches", "value": LARGE}]
    plan = plan_of(
        first=matches(LARGE),
        second=matches(LARGE, when_missing=True),
        folded=matches(LARGE, ignore_case=True),
        where={"type": "event", "name": "a", "where": where},
    )
    assert compiled == []
    profile = None
    for number, name in enumerate((PROFILE, "a", PROFILE, "a")):
        properties = {"attributes": {"x": f"v{number}"}} if name == PROFILE else {"x": "v"}
        event = Event(f"e{number}", "w", "p", name, number, properties)
        profile = on_event(plan, profile, event, number).profile
    assert sorted(compiled) == [(LARGE, False), (LARGE, True)]


def test_what_nobody_uses_is_not_kept() -> None:
    text = "nobody (uses|keeps) this"
    kept = pattern.pattern(text, False)
    assert pattern.pattern(text, False) is kept
    del kept
    assert (text, False) not in pattern._shared


@pytest.mark.parametrize(
    "text", ["[a-z]{0,1000}", "(a?){1000}", r"\pL+b\pL+", ".{450}", "(?:ab|cd|[^x]){0,90}"]
)
def test_the_largest_that_the_check_lets_through_can_be_matched(text: str) -> None:
    """RE2 has more memory for matching than for the check."""
    assert pattern.size(text, False).code is None
    assert pattern.pattern(text, False).found("ab" * 1_000)
