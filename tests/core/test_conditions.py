"""The examples that must work as written, and the rules that are easy to get wrong, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.story import Story


def attribute(name: str, op: str, value: Any = None, **more: Any) -> dict[str, Any]:
    return {"type": "attribute", "name": name, "op": op, "value": value, **more}


def event(name: str, last: str | None = None, **more: Any) -> dict[str, Any]:
    return {"type": "event", "name": name, **({"window": {"last": last}} if last else {}), **more}


# -- the examples


def test_example_1_contacts_who_are_part_of_a_list() -> None:
    story = Story("2024-01-01", newsletter=None, readers={"type": "segment", "id": "newsletter"})
    story.changes("2024-01-01", lists_add=["newsletter"])
    assert story.members == {"newsletter", "readers"}
    story.changes("2024-01-02", lists_remove=["newsletter"])
    assert story.members == set()


def test_example_2_opened_an_email_in_the_last_month() -> None:
    story = Story("2024-01-30", openers=event("email_opened", "1mo"))
    story.happens("email_opened", "2024-01-30T11:00")
    assert story.valid_until("openers") == "2024-02-29T11:00"
    story.clock("2024-03-01")
    assert story.told() == [
        ("openers", "entered", "2024-01-30T11:00"),
        ("openers", "exited", "2024-02-29T11:00"),
    ]


def test_example_3_placed_an_order_in_the_last_two_months() -> None:
    story = Story("2023-12-31", buyers=event("order_placed", "2mo"))
    story.happens("order_placed", "2023-12-31T08:00")
    story.clock("2024-02-29T07:59:59.999")
    assert story.members == {"buyers"}
    story.clock("2024-02-29T08:00")
    assert story.members == set()


def test_example_4_received_a_campaign_in_a_quarter_and_opened_none() -> None:
    quarter = {"from": "2022-07-01", "to": "2022-10-01"}
    received = {"type": "event", "name": "email_delivered", "window": quarter}
    opened = {"type": "event", "name": "email_opened", "window": quarter}
    silent = {"type": "all", "of": [received, {"type": "not", "of": opened}]}
    story = Story("2022-06-30", zone="Europe/Berlin", silent=silent)
    story.happens("email_delivered", "2022-06-30T21:59:59.999")  # 23:59:59.999 on 30 June in Berlin
    assert story.members == set()
    story.happens("email_delivered", "2022-06-30T22:00")
    assert story.members == {"silent"}
    story.happens("email_opened", "2022-09-30T22:00")  # midnight of 1 October: outside
    assert story.members == {"silent"}
    story.happens("email_opened", "2022-09-30T21:59:59")  # arrives late, lies inside
    assert story.members == set()


def test_example_5_nested() -> None:
    nested = {
        "type": "any",
        "of": [
            event("order_placed", "6mo"),
            {"type": "all", "of": [event("cart_updated", "1mo"), {"type": "segment", "id": "list"}]},
        ],
    }
    story = Story("2024-01-01", list=None, target=nested)
    story.happens("cart_updated", "2024-01-01")
    assert story.members == set()
    story.changes("2024-01-02", lists_add=["list"])
    assert story.members == {"list", "target"}
    story.happens("order_placed", "2024-01-15")
    story.clock("2024-07-15")
    assert story.told()[-1] == ("target", "exited", "2024-07-15")


def test_example_6_a_specific_email_a_specific_product() -> None:
    clicked = event("email_clicked", where=[{"property": "campaign_id", "op": "eq", "value": "spring"}])
    viewed = event("product_viewed", where=[{"property": "product_id", "op": "eq", "value": 7}])
    story = Story("2024-01-01", clicked=clicked, viewed=viewed)
    story.happens("email_clicked", "2024-01-01", campaign_id="autumn")
    story.happens("product_viewed", "2024-01-01", product_id="7")
    assert story.members == set()
    story.happens("email_clicked", "2024-01-01", campaign_id="spring")
    story.happens("product_viewed", "2024-01-01", product_id=7.0)
    assert story.members == {"clicked", "viewed"}


def test_example_7_by_attributes_and_by_acquisition_date() -> None:
    story = Story(
        "2024-01-01",
        here=attribute("country", "in", ["DE", "AT"]),
        city=attribute("city", "eq", "MÜNCHEN", ignore_case=True),
        adult=attribute("age", "between", [18, 29]),
        known=attribute("gender", "exists"),
        educated=attribute("education", "not_in", ["none", "primary"]),
        web=attribute("lead_source", "starts_with", "web"),
        early=attribute("created_at", "before", "2024-01-01"),
        recent=attribute("created_at", "in_last", "90d"),
    )
    story.changes(
        "2024-01-01",
        attributes={
            "country": "AT",
            "city": "München",
            "age": 29,
            "gender": "f",
            "education": "master",
            "lead_source": "web:search",
            "created_at": "2023-12-31",
        },
    )
    assert story.members == {"here", "city", "adult", "known", "educated", "web", "early", "recent"}
    assert story.valid_until("recent") == "2024-03-30"
    story.changes("2024-01-02", attributes={"education": None, "age": "29"})
    assert story.members == {"here", "city", "known", "web", "early", "recent"}


def test_a_cart_is_abandoned_by_the_clock_and_an_order_that_arrives_late_undoes_it() -> None:
    steps = [{"name": "cart_updated"}, {"name": "order_placed", "absent": True}]
    abandoned = {"type": "sequence", "steps": steps, "within": "1h", "window": {"last": "7d"}}
    story = Story("2024-01-01", abandoned=abandoned)
    story.happens("cart_updated", "2024-01-01T10:00")
    assert story.valid_until("abandoned") == "2024-01-01T11:00"
    story.clock("2024-01-01T12:00")
    story.happens("order_placed", "2024-01-01T11:00")
    assert story.told() == [
        ("abandoned", "entered", "2024-01-01T11:00"),
        ("abandoned", "exited", "2024-01-01T12:00"),
    ]


def test_upgraded_in_the_last_week() -> None:
    where = [
        {"property": "name", "op": "eq", "value": "plan"},
        {"property": "to", "op": "eq", "value": "pro"},
    ]
    story = Story("2024-01-01", upgraded=event("$attribute_changed", "1w", where=where))
    story.changes("2024-01-01", attributes={"plan": "free"})
    story.changes("2024-01-02", attributes={"plan": "pro"})
    story.changes("2024-01-01T12:00", attributes={"plan": "pro"})  # older than what stands: alters nothing
    assert story.valid_until("upgraded") == "2024-01-09"


# -- instants and durations


def test_months_are_not_monotone() -> None:
    """30 January 11:00 falls out after 31 January 10:00: both are clipped to 28 February."""
    story = Story("2023-01-30", twice=event("a", "1mo", value=2), once=event("a", "1mo"))
    story.happens("a", "2023-01-30T11:00")
    story.happens("a", "2023-01-31T10:00")
    assert story.valid_until("twice") == "2023-02-28T10:00"
    assert story.valid_until("once") == "2023-02-28T11:00"


def test_a_local_time_that_is_skipped_is_read_with_the_offset_before_it() -> None:
    """29 February 02:30 in Berlin and a month is 29 March; 31 January and two are 31 March 02:30, a gap."""
    story = Story("2024-01-31", zone="Europe/Berlin", here=event("a", "2mo"))
    story.happens("a", "2024-01-31T01:30")  # 02:30 in Berlin
    assert story.valid_until("here") == "2024-03-31T01:30"  # 02:30+01:00, on the clock 03:30


def test_a_local_time_that_comes_twice_is_the_earlier() -> None:
    story = Story("2024-09-27", zone="Europe/Berlin", here=event("a", "1mo"))
    story.happens("a", "2024-09-27T00:30")  # 02:30 in Berlin, as on 27 October, twice
    assert story.valid_until("here") == "2024-10-27T00:30"  # 02:30+02:00


def test_a_skip_delays_and_the_last_ends() -> None:
    between = event("a") | {"window": {"last": "7d", "skip": "1d"}}
    story = Story("2024-01-01", between=between)
    story.happens("a", "2024-01-01")
    story.clock("2024-02-01")
    assert story.told() == [("between", "entered", "2024-01-02"), ("between", "exited", "2024-01-08")]


def test_a_birthday_on_29_february_is_on_the_28th_in_other_years() -> None:
    story = Story("2024-12-01", zone="America/New_York", soon=attribute("born", "anniversary_in_next", "2d"))
    story.changes("2024-12-01", attributes={"born": "2000-02-29"})
    story.clock("2025-06-01")
    assert story.told() == [
        ("soon", "entered", "2025-02-26T05:00"),
        ("soon", "exited", "2025-03-01T05:00"),
    ]


def test_dates_at_the_ends_of_the_calendar_do_no_harm() -> None:
    """Such stamps stand for "never" and "always" in many systems."""
    for zone in ("Australia/Lord_Howe", "America/New_York"):
        story = Story(
            "2024-01-01",
            zone=zone,
            soon=attribute("until", "in_next", "1mo"),
            past=attribute("until", "in_last", "1mo"),
            party=attribute("until", "anniversary_in_next", "1mo"),
        )
        story.changes("2024-01-01", attributes={"until": "9999-12-31T23:59:59Z"})
        story.changes("2024-01-02", attributes={"until": "0001-01-01"})
        assert story.members <= {"party"}


def test_a_sequence_without_a_window_in_a_zone_east_of_greenwich() -> None:
    follows = {"type": "sequence", "steps": [{"name": "a"}, {"name": "b"}], "within": "1mo"}
    story = Story("2024-01-01", zone="Australia/Lord_Howe", follows=follows)
    story.happens("a", "2024-01-01")
    story.happens("b", "2024-01-02")
    assert story.members == {"follows"}


# -- values


@pytest.mark.parametrize(
    ("op", "operand", "value", "holds"),
    [
        ("eq", 1, True, False),
        ("eq", 1, 1.0, True),
        ("eq", "1", 1, False),
        ("neq", 1, "a", False),
        ("neq", "a", ["a"], False),
        ("not_in", ["a", 1], 2, True),
        ("not_in", ["a"], 2, False),
        ("gt", "Z", "a", True),
        ("gt", 1, True, False),
        ("contains", "", "x", True),
        ("matches", "^b", "ab", False),
        ("has_any", [1], [True, "1"], False),
        ("has_all", [1, "a"], ["a", 1.0], True),
        ("has_none", ["a"], "b", False),
        ("has_none", ["a"], [], True),
        ("before", "2024-01-01", "2023-12-31T23:59:59.999Z", True),
        ("after", "2024-01-01", "soon", False),
        ("exists", None, False, True),
    ],
)
def test_nothing_is_coerced(op: str, operand: Any, value: Any, holds: bool) -> None:
    story = Story("2024-01-01", s=attribute("x", op, operand))
    story.changes("2024-01-01", attributes={"x": value})
    assert story.members == ({"s"} if holds else set())


def test_what_cannot_be_compared_gives_when_missing() -> None:
    story = Story(
        "2024-01-01",
        missing=attribute("x", "gt", 1, when_missing=True),
        negative=attribute("x", "neq", 1, when_missing=True),
    )
    story.changes("2024-01-01", attributes={"y": 1})
    assert story.members == {"missing", "negative"}
    story.changes("2024-01-02", attributes={"x": "2"})
    assert story.members == {"missing", "negative"}
    story.changes("2024-01-03", attributes={"x": 1})
    assert story.members == set()


def test_case_is_folded_by_unicode() -> None:
    story = Story("2024-01-01", s=attribute("x", "eq", "STRASSE", ignore_case=True))
    story.changes("2024-01-01", attributes={"x": "Straße"})
    assert story.members == {"s"}


def test_lists_on_a_path_are_walked_and_a_negative_op_denies_all_items() -> None:
    def where(op: str, value: Any) -> list[dict[str, Any]]:
        return [{"property": "products.color", "op": op, "value": value}]

    story = Story(
        "2024-01-01",
        red=event("order", where=where("eq", "red")),
        never_red=event("order", where=where("neq", "red")),
        costly=event("order", measure={"of": "sum", "property": "products.price"}, op="eq", value=0.3),
    )
    story.happens(
        "order", "2024-01-01", products=[{"color": "red", "price": 0.1}, {"color": "blue", "price": 0.2}]
    )
    assert story.members == {"red", "costly"}
    story.happens("order", "2024-01-02", products=[{"color": "blue"}, {"price": "0"}])
    assert story.members == {"red", "never_red", "costly"}


# -- measures, occurrences, sequences


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
    story.happens("order", "2023-11-01")  # arrives late: the first lies long ago
    assert story.members == set()


def test_a_sequence_orders_equal_stamps_by_id_and_minds_the_last_instant() -> None:
    follows = {"type": "sequence", "steps": [{"name": "a"}, {"name": "b"}], "within": "1h"}
    story = Story("2024-01-01", follows=follows)
    story.happens("b", "2024-01-01", id="1")
    story.happens("a", "2024-01-01", id="2")
    assert story.members == set()
    story.happens("b", "2024-01-01T01:00:00.001", id="3")
    assert story.members == set()
    story.happens("b", "2024-01-01T01:00", id="0")
    assert story.members == {"follows"}


def test_an_absent_step_looks_at_any_chain_before_it() -> None:
    """a, b, then no c within a day of a: the b after the c makes a chain that the c doesn't end."""
    steps = [{"name": "a"}, {"name": "b"}, {"name": "c", "absent": True}]
    story = Story("2024-01-01", left={"type": "sequence", "steps": steps, "within": "1d"})
    story.happens("a", "2024-01-01T01:00")
    story.happens("b", "2024-01-01T02:00")
    story.happens("c", "2024-01-01T03:00")
    assert story.valid_until("left") is None
    story.happens("b", "2024-01-01T04:00")
    assert story.valid_until("left") == "2024-01-02T01:00"


# -- definitions that come and go


def test_a_new_condition_counts_from_its_creation_and_shares_what_is_kept() -> None:
    story = Story("2024-01-01", first=event("a", "30d"))
    story.happens("a", "2024-01-01")
    story.happens("b", "2024-01-01")
    story.define("shares", event("a", "30d"))
    story.define("fresh", event("b", "30d"))
    assert story.members == {"first", "shares"}
    story.happens("b", "2024-01-02")
    assert story.members == {"first", "shares", "fresh"}


def test_a_condition_that_was_dropped_and_comes_back_begins_afresh() -> None:
    story = Story("2024-01-01", s=event("a", "30d"))
    story.happens("a", "2024-01-01")
    story.define("s", event("b", "30d"))
    story.define("s", event("a", "30d"))
    assert story.members == set()


def test_the_deletion_of_a_segment_is_an_exit_that_others_hear() -> None:
    story = Story("2024-01-01", a=event("a", "30d"), left=event("$segment_exited", "7d"))
    story.happens("a", "2024-01-01")
    story.clock("2024-01-02")
    story.told()
    story.delete("a")
    assert story.told() == [("a", "exited", "2024-01-02"), ("left", "entered", "2024-01-02")]
