"""Measures and occurrences, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.story import Story, event


def test_sums_and_averages_are_exact() -> None:
    of_sum, of_avg = ({"of": of, "property": "x"} for of in ("sum", "avg"))
    story = Story(
        "2024-01-01",
        sum=event("a", measure=of_sum, op="eq", value=0.3),
        avg=event("a", measure=of_avg, op="eq", value=0.15),
        undefined=event("b", measure=of_avg, op="neq", value=1),
        nothing=event("b", measure=of_sum, op="eq", value=0),
    )
    story.happens("a", "2024-01-01", x=0.1)
    story.happens("a", "2024-01-01", x=[0.2, True, "7"])
    assert story.members == {"sum", "avg", "nothing"}


def test_days_are_those_of_the_workspace() -> None:
    story = Story("2024-01-01", zone="Asia/Kolkata", two=event("a", measure={"of": "days"}, value=2))
    story.happens("a", "2024-01-01T18:00")  # 23:30
    story.happens("a", "2024-01-01T18:29:59")
    assert story.members == set()
    story.happens("a", "2024-01-01T18:30")  # midnight
    assert story.members == {"two"}


def test_the_first_is_the_first_ever() -> None:
    first = {"type": "occurrence", "which": "first", "name": "order", "window": {"last": "30d"}}
    story = Story("2024-01-01", new=first)
    story.happens("order", "2024-01-10")
    assert story.members == {"new"}
    story.happens("order", "2023-11-01")  # it arrives late: so the first order lies long ago
    assert story.members == set()


def test_a_sum_takes_large_numbers_as_they_are_written() -> None:
    """2^60 as a float is written 1.152921504606847e+18, which is another number than 2^60."""
    total: dict[str, Any] = {"measure": {"of": "sum", "property": "x"}, "op": "eq"}
    story = Story(
        "2024-01-01",
        written=event("a", value=1_152_921_504_606_847_000, **total),
        whole=event("b", value=2**60 + 1, **total),
    )
    story.happens("a", "2024-01-01", x=2.0**60)
    story.happens("b", "2024-01-01", x=[2**60, 1])
    assert story.members == {"written", "whole"}


def test_distinct_values_are_told_apart_by_kind_and_by_value() -> None:
    def distinct(count: int) -> dict[str, Any]:
        return event("a", measure={"of": "distinct", "property": "x"}, op="eq", value=count)

    story = Story("2024-01-01", four=distinct(4), five=distinct(5))
    story.happens("a", "2024-01-01", x=[1, 1.0, True, "1", None, {}, [0.5]])
    assert story.members == {"four"}
    story.happens("a", "2024-01-01", x=[2.0**63, 9_223_372_036_854_776_000])
    assert story.members == {"five"}


@pytest.mark.parametrize("measure", ["avg", "min", "max"])
def test_what_is_undefined_meets_no_comparison(measure: str) -> None:
    def of(op: str, value: Any) -> dict[str, Any]:
        return event("a", "1d", measure={"of": measure, "property": "x"}, op=op, value=value)

    story = Story("2024-01-01", other=of("neq", 7), low=of("lt", 7), any=of("between", [-9, 9]))
    story.happens("a", "2024-01-01", x="7")
    assert story.members == set()
    story.happens("a", "2024-01-01T12:00", x=[2, 4])
    assert story.members == {"other", "low", "any"}
    story.clock("2024-01-02T12:00")
    assert story.members == set()


def test_of_equal_times_the_id_says_which_was_last() -> None:
    last = {"type": "occurrence", "which": "last", "name": "a", "window": {"last": "2d", "skip": "1d"}}
    story = Story("2024-01-01", last=last, first=last | {"which": "first"})
    story.happens("a", "2024-01-02", id="2")
    story.happens("a", "2024-01-02", id="1")
    story.happens("a", "2024-01-01T12:00", id="3")
    story.clock("2024-01-05")
    assert story.told() == [
        ("first", "entered", "2024-01-02T12:00"),
        ("last", "entered", "2024-01-03"),
        ("first", "exited", "2024-01-03T12:00"),
        ("last", "exited", "2024-01-04"),
    ]


def test_what_is_due_in_a_millisecond_is_still_due() -> None:
    window = {"last": "2d", "skip": "1d"}
    story = Story(
        "2024-01-01",
        first={"type": "occurrence", "which": "first", "name": "a", "window": window},
        once=event("a", window=window),
        follows={
            "type": "sequence",
            "steps": [{"name": "a"}, {"name": "a"}],
            "within": "1d",
            "window": window,
        },
    )
    story.happens("a", "2024-01-01")
    story.happens("a", "2024-01-01T23:59:59.999")  # due times are worked out anew
    assert [story.valid_until(segment) for segment in ("first", "once", "follows")] == ["2024-01-02"] * 3


def test_an_event_that_matches_by_several_values_counts_once() -> None:
    where = [{"property": "x", "op": "in", "value": [1, 2]}]
    story = Story("2024-01-01", once=event("a", where=where, op="eq"), never=event("a", where=where, value=2))
    story.happens("a", "2024-01-01", x=[1, 2, 1])
    assert story.members == {"once"}
