"""Definitions compared as JSON: each change stands where it is."""

from __future__ import annotations

from typing import Any

import pytest

from livesegments.api.segments.differing import Change, changes

A: dict[str, Any] = {"type": "event", "name": "a", "window": {"last": "30d"}}
B: dict[str, Any] = {"type": "tag", "name": "b"}
C: dict[str, Any] = {"type": "tag", "name": "c"}


def every(*of: Any) -> dict[str, Any]:
    return {"type": "all", "of": list(of)}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (every(A, B), every(A, B), []),
        (A, {**A, "window": {"last": "60d"}}, [Change("changed", "/window/last", "30d", "60d")]),
        (A, {**A, "op": "gte"}, [Change("added", "/op", None, "gte")]),
        ({**A, "op": "gte"}, A, [Change("removed", "/op", "gte")]),
        (every(A, B), every(C, A, B), [Change("added", "/of/0", None, C)]),
        (every(A, B, C), every(A, C), [Change("removed", "/of/1", B)]),
        (every(A, B), every(C, A, {**B, "name": "x"}),
         [Change("added", "/of/0", None, C), Change("changed", "/of/2/name", "b", "x")]),
        (every(B), {"type": "any", "of": [B]},
         [Change("changed", "", every(B), {"type": "any", "of": [B]})]),
        (every(A), every(B), [Change("changed", "/of/0", A, B)]),
        ({**B, "value": 1}, {**B, "value": True}, [Change("changed", "/value", 1, True)]),
        (None, B, [Change("changed", "", None, B)]),
    ],
)  # fmt: skip
def test_what_differs_is_named_where_it_stands(before: Any, after: Any, expected: list[Change]) -> None:
    assert changes(before, after) == expected
