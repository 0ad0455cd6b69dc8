"""What turns answers of the api into words for people: without a browser."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from livesegments.client import Transition
from livesegments.client.erasures import Erasure
from livesegments.client.explanations import Explanation
from livesegments.client.fields import Fit
from livesegments.client.planning import Preview
from livesegments.client.profiles import Moment
from livesegments.client.rejected import RefusalWhole
from livesegments.client.subscriptions import Subscription
from livesegments.console.pages.consent import counted
from livesegments.console.pages.feed.heard import AT_ONCE, Heard
from livesegments.console.pages.fields import computing, declaring
from livesegments.console.pages.fields import rows as field_rows
from livesegments.console.pages.profiles import erasing, finding, moments, reasons, shown
from livesegments.console.pages.rejected import rows as refused
from livesegments.console.pages.subscriptions import replaying
from livesegments.console.pages.subscriptions import shown as subscribed
from livesegments.console.pages.subscriptions.form import Form, Wrong

KYIV = ZoneInfo("Europe/Kyiv")
AT = datetime(2026, 1, 31, 22, 30, tzinfo=UTC)


def node(type_: str, *of: Any, holds: bool = True, condition: Any = None, evidence: Any = None) -> Any:
    return {
        "pointer": "", "type": type_, "holds": holds, "condition": condition, "evidence": evidence,
        "of": list(of),
    }  # fmt: skip


def explanation(**changed: Any) -> Explanation:
    evidence = {
        "value": 2, "or_more": True, "at": AT, "event_id": None, "steps": None, "same": None, "moves_at": AT,
        "events": [{"id": "e", "name": "order", "time": AT, "properties": {"total": 3}}],
    }  # fmt: skip
    bought = {"type": "event", "name": "order", "value": 3}
    why = node("not", node("event", holds=False, condition=bought, evidence=evidence))
    fields = {
        "segment": "s", "profile": "p", "in": True, "entered_at": AT, "at": AT, "version": 1, "judged": True,
        "why": why, "change": None, "flips_at": None,
    }  # fmt: skip
    return msgspec.convert({**fields, **changed}, Explanation)


def test_why_is_a_tree_with_what_each_condition_saw() -> None:
    first, second = reasons.tree(explanation(), KYIV, {})
    assert (first.depth, first.holds, second.depth, second.holds) == (0, True, 1, False)
    assert "at least 3 times" in second.says
    assert second.evidence == (
        "2 or more, since 1 Feb 2026, 00:30; the clock may change it on 1 Feb 2026, 00:30"
    )
    assert second.events[0].name == "order" and second.events[0].when == "1 Feb 2026, 00:30:00 EET"


def test_what_would_flip_it_is_said() -> None:
    none, clock = reasons.flips(explanation(), KYIV)
    assert none == "No single change lets the profile leave." and "changes nothing" in clock
    change = {
        "type": "event", "name": "order", "count": 1, "properties": {"total": 5}, "varying": None,
        "value": None, "channel": None, "topic": None, "before": AT,
    }  # fmt: skip
    by, clock = reasons.flips(explanation(**{"in": False}, change=change, flips_at=AT), KYIV)
    wanted = "would enter by this, for example: 1 more “order” with total 5, before 1 Feb 2026, 00:30"
    assert wanted in by
    assert clock == "If nothing happens, it will enter on 1 Feb 2026, 00:30:00 EET."


def moment(event: str, **properties: Any) -> Moment:
    return Moment(
        id="m", name=event, time=AT, applied_at=AT, properties=properties, event_id=None, cause="clock",
        version=1, sequence=1,
    )  # fmt: skip


def test_what_happened_is_said_by_its_kind() -> None:
    said = [
        moments.happened(each, KYIV, {"vips": "VIPs"})
        for each in (
            moment("$segment_exited", segment="vips"),
            moment("$attribute_changed", name="city", **{"from": None, "to": "Kyiv"}),
            moment("$consent_changed", channel="email", topic="news", to="opted_out"),
            moment("order", **{f"p{number}": number for number in range(20)}),
        )
    ]
    assert [each.title for each in said] == [
        "Left VIPs", "city: – → Kyiv", "Consent to email, about news: Opted out", "order",
    ]  # fmt: skip
    assert said[0].note == "by the clock" and said[0].segment == "vips"
    assert len(said[3].details) == moments.MOST and said[3].more == 8


def test_values_are_shown_for_people() -> None:
    found = [shown.value(each) for each in (None, True, 1234567, 2.5, "x", ["a", 1], {"a": [1]})]
    assert found == ["–", "Yes", "1,234,567", "2.5", "x", "a, 1", '{"a":[1]}']
    assert shown.measured("2026-01-31T22:30:00.000Z", KYIV) == "1 Feb 2026, 00:30"


def test_a_text_may_mean_a_number_where_the_attribute_has_numbers() -> None:
    assert finding.wanted("age", "42", {"age": ["number"]}) == [42, "42"]
    assert finding.wanted("name", "42", {"name": ["string"]}) == ["42"]
    assert list(finding.choices({"zip": ["string"], "email": ["string"], "seen": ["boolean"]})) == [
        "id", "attribute:email", "attribute:zip",
    ]  # fmt: skip


def test_the_feed_is_bounded_and_waits_while_it_is_paused() -> None:
    heard = Heard()
    one = Transition(
        id="t", workspace="w", segment="s", profile="p", kind="entered", at=AT, sequence=1, cause="event",
        event_id=None, version=1,
    )  # fmt: skip
    for _ in range(AT_ONCE + 5):
        heard.add(one)
    assert heard.passed_over == 5 and len(heard.take()) == AT_ONCE and heard.take() == []
    heard.is_paused = True
    heard.add(one)
    assert heard.take() == [] and "1 wait" in heard.says()
    heard.is_paused = False
    assert len(heard.take()) == 1


def subscription(**changed: Any) -> Subscription:
    fields = {
        "id": "s1", "name": "S", "segments": ["a", "b", "c", "d"], "kinds": ["entered", "exited"],
        "causes": [], "backfill": False, "minimum_dwell_s": 3600, "cool_down_s": 90,
        "batch": {"max": 10, "within_s": 60}, "paused": False, "state": "active", "version": 1,
        "webhook": {"url": "https://x", "template": "slack", "mapping": None, "secrets": 2},
        "created_at": AT, "updated_at": AT,
    }  # fmt: skip
    return msgspec.convert({**fields, **changed}, Subscription)


def test_a_subscription_says_what_it_hears_and_why_it_is_still() -> None:
    assert subscribed.hears(subscription(), {"a": "A"}) == "Entries and exits of A, b, c and 1 more"
    assert subscribed.hears(subscription(segments=[], kinds=["exited"]), {}) == "Exits of all segments"
    rules = dict(subscribed.rules(subscription()))
    assert rules["Stays at least"] == "1 hour" and rules["Between two entries"] == "90 seconds"
    assert rules["Messages"] == "up to 10 transitions, after 1 minute at the latest"
    assert "410" in subscribed.state_reason(subscription(state="disabled"))


def test_a_form_names_the_field_that_is_wrong() -> None:
    body = Form(name="S", template="").request().body
    assert body is not None and body["webhook"] is None
    for form, wrong in (
        (Form(), "name"),
        (Form(name="S", entries=False, exits=False), "entries"),
        (Form(name="S"), "url"),
        (Form(name="S", url="https://x", template="json", mapping="["), "mapping"),
        (Form(name="S", url="https://x", dwell="soon"), "dwell"),
    ):
        with pytest.raises(Wrong) as raised:
            form.request()
        assert raised.value.name == wrong


def test_a_range_is_meant_in_the_workspaces_zone() -> None:
    assert replaying.instant("2026-01-31T10:00", KYIV) == "2026-01-31T10:00:00+02:00"
    with pytest.raises(ValueError, match="Invalid"):
        replaying.instant("", KYIV)


def test_a_declaration_is_what_was_filled_in() -> None:
    given = declaring.Form("age", "number", choices="1\n2.5\nx\n\n", format="DD").given()
    assert given["choices"] == [1, 2.5, "x"] and given["format"] == ""
    fit = Fit(at=AT, fit=2, readable=1, misfits=1, sample=[], unfit_segments=["s"])
    assert len(field_rows.fit(fit)) == 4 and "has a value that does not fit" in field_rows.fit(fit)[2]


def test_a_computed_attribute_is_what_was_filled_in() -> None:
    made = computing.Form("spent", "order", "sum", "total", "90").request()
    assert made.body == {
        "measure": {"of": "sum", "property": "total"}, "name": "order", "window": {"last": "90d"},
        "description": "",
    }  # fmt: skip
    assert field_rows.measure(made.body) == "Sum of total of order, last 90d"
    for form in (
        computing.Form("", "e"),
        computing.Form("a", ""),
        computing.Form("a", "e", "sum"),
        computing.Form("a", "e", days="x"),
    ):
        with pytest.raises(ValueError, match="Give"):
            form.request()


def test_consent_is_counted_by_one_question() -> None:
    said = {"type": "consent", "channel": "email", "topic": "news", "state": "opted_in"}
    assert counted.named([{"type": "not", "of": said}, None]) == (["email"], ["news"])
    asked = counted.pairs(["email"], ["news"])
    assert asked == [("email", None), (None, "news"), ("email", "news")]
    many = [str(number) for number in range(20)]
    assert len(counted.pairs(many, many)) * 2 == counted.NODES
    counts = [
        {"pointer": pointer, "count": count} for pointer, count in (("/of/0", 3), ("/of/1", 1), ("/of/5", 2))
    ]
    fields = {
        "at": AT, "profiles": 9, "count": 4, "margin": 0, "sample": [], "lacking": [], "warnings": [],
        "cost": None, "nodes": counts,
    }  # fmt: skip
    rows = counted.rows(asked, msgspec.convert(fields, Preview))
    assert [(row.says, row.opted_in, row.opted_out) for row in rows] == [
        ("email", 3, 1), ("email, about news", 0, 2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "seen"), [("eyJhIjoxfQ==", '{\n  "a": 1\n}'), ("/w==", "ff"), ("aGk=", "hi")]
)
def test_what_was_refused_is_shown_as_it_can_be_read(raw: str, seen: str) -> None:
    fields = {
        "id": "0-1", "at": AT, "received_at": AT, "workspace": None, "code": "c", "reason": "", "errors": [],
        "source": "http", "text": None, "raw_bytes": 1, "partial": False, "replayable": False, "raw": raw,
        "truncated": False,
    }  # fmt: skip
    assert refused.raw(msgspec.convert(fields, RefusalWhole)) == seen


def test_the_time_of_an_erasure_is_said() -> None:
    found = Erasure(
        id="3-1", state="erased", requested_at=AT, due_at=AT + timedelta(hours=1), profiles=1,
        segments_left=2, archive_at=None, checkpoints_at=None, names_at=None, done_at=None, suppressed=True,
    )  # fmt: skip
    assert erasing.state(found, KYIV) == (
        "Erasure 3-1: the person is out of profiles and out of 2 segments. Files are rewritten until "
        "1 Feb 2026, 01:30 at the latest. Later events of the person are dropped."
    )
