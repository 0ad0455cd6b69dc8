"""The examples of the condition language that must work as written."""

from __future__ import annotations

from typing import Any

from tests.core.story import Story, attribute, event


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
    assert story.members == {"here", "city", "known", "educated", "web", "early", "recent"}


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
    story.changes("2024-01-01T12:00", attributes={"plan": "pro"})  # an older write: no change
    assert story.valid_until("upgraded") == "2024-01-09"


def test_the_last_events_own_properties() -> None:
    """`has` asks the last order of all; in `where` it would look for the last returned one."""
    returned = [{"property": "status", "op": "eq", "value": "returned"}]
    last: dict[str, Any] = {"type": "occurrence", "which": "last", "name": "order"}
    story = Story("2024-01-01", has=last | {"has": returned}, where=last | {"where": returned})
    story.happens("order", "2024-01-01", status="returned")
    assert story.members == {"has", "where"}
    story.happens("order", "2024-01-02", status="paid")
    assert story.members == {"where"}
    story.happens("order", "2024-01-01T12:00", status="returned")  # late, and not the last
    assert story.members == {"where"}
    story.happens("order", "2024-01-03", status="returned")
    assert story.members == {"has", "where"}
