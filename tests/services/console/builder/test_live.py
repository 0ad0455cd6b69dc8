"""The live preview: the newest state alone is asked about, an estimate first; and drafts that outlive a page."""

from __future__ import annotations

import asyncio
import gc
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings

from livesegments.client import Invalid, Unreachable
from livesegments.client.by_attribute import Value, Values
from livesegments.client.planning import Cost, NodeCount, Plan, Preview
from livesegments.client.request import Request
from livesegments.console.builder import later
from livesegments.console.builder.drafts import MOST, Draft, Drafts
from livesegments.console.builder.filling import filled
from livesegments.console.builder.history import same
from livesegments.console.builder.live import Live, Seen, faults
from livesegments.console.builder.view.json_form import pretty, read
from livesegments.core.fault import Fault
from tests.properties.definitions import definitions

NOW = datetime(2026, 1, 1, tzinfo=UTC)
COST = Cost(new_facts=0, bytes_a_profile=None, looked_at=0, shared=[])
A, B = {"type": "tag", "name": "a"}, {"type": "tag", "name": "b"}


def answer(count: int, margin: int = 0, cost: Cost | None = COST) -> Preview:
    nodes = [NodeCount(pointer="", count=count)]
    return Preview(
        at=NOW,
        profiles=9,
        count=count,
        margin=margin,
        nodes=nodes,
        sample=[],
        lacking=[],
        warnings=[],
        cost=cost,
    )


def plan() -> Plan:
    return Plan(
        plan="p", at=NOW, count=1, entering=1, leaving=0, sample_entering=[], sample_leaving=[],
        dependents=[], subscriptions=[], warnings=[],
    )  # fmt: skip


class Api:
    """Answers what it was given, in turn; `held`: until it is let go."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.asked = list(answers), list[Request[Any]]()
        self.held = asyncio.Event()
        self.held.set()

    async def send(self, request: Request[Any]) -> Any:
        self.asked.append(request)
        await self.held.wait()
        found = self.answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    @property
    def bodies(self) -> list[Any]:
        return [request.body for request in self.asked]


async def at_once() -> None:
    await asyncio.sleep(0)


async def test_an_exact_answer_is_asked_for_once() -> None:
    shown: list[Seen] = []
    api = Api(answer(3))
    live = Live(api, None, shown.append, at_once)
    live.changed(A, edits=True)
    await live.settled()
    assert [each.preview.count for each in shown if each.preview] == [3]
    assert [each.asking for each in shown] == [True, False]
    assert api.bodies == [{"definition": A, "sample": 6, "estimate": True}]


async def test_of_many_profiles_an_estimate_comes_first_and_an_edit_is_planned() -> None:
    shown: list[Seen] = []
    api = Api(answer(30, 5, None), answer(33), plan())
    live = Live(api, "s", shown.append, at_once)
    live.changed(A, edits=True)
    await live.settled()
    assert [each.preview.margin for each in shown if each.preview] == [5, 0, 0]
    assert [each.asking for each in shown] == [True, True, True, False]
    assert shown[-1].plan == plan()


async def test_what_was_superseded_is_never_shown() -> None:
    shown: list[Seen] = []
    api = Api(answer(2))
    api.held.clear()
    live = Live(api, None, shown.append, at_once)
    live.changed(A)
    while not api.asked:  # noqa: ASYNC110
        await asyncio.sleep(0)
    live.changed(A)
    live.changed(B)  # the one before it is not even asked about
    api.held.set()
    await live.settled()
    assert [each.preview.count for each in shown if each.preview] == [2]
    assert [body["definition"] for body in api.bodies] == [A, B]
    live.stop()


async def test_why_no_number_is_known_is_shown() -> None:
    shown: list[Seen] = []
    fault = Fault("/definition/name", "empty", "must not be empty")
    refused = Invalid(422, "faults", "", (fault,))
    api = Api(refused, Unreachable("away", sent=False), answer(4))
    live = Live(api, None, shown.append, at_once, at_once)
    live.changed(A)
    await live.settled()
    assert not shown[-1].asking
    assert faults(shown[-1].error) == [fault]
    live.changed(A)
    await live.settled()  # an api that was away is asked again
    assert [faults(each.error) for each in shown if isinstance(each.error, Unreachable)] == [[]]
    assert shown[-1].preview == answer(4)


async def test_values_come_with_their_numbers_and_are_asked_for_once() -> None:
    values = [Value(value=1.0, count=1, segment=None), Value(value="x", count=2_000, segment=None)]
    api = Api(Values(at=NOW, values=values, more=False), Unreachable("away", sent=False))
    known = later.Values(api)
    filled_: list[dict[str, str]] = []

    def fill(found: dict[str, str]) -> bool:
        filled_.append(found)
        return True

    known.of("city", {}).then(fill)
    known.of("city", {}).then(fill)
    known.of("plan", {"pro": ""}).then(fill)
    while len(filled_) < 3:  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert filled_ == [{"1": "1 profile", "x": "2,000 profiles"}] * 2 + [{"pro": ""}]
    assert len(api.asked) == 2
    api.answers = [Values(at=NOW, values=values, more=False)]
    known.of("plan", {"pro": ""}).then(fill)  # the api was away: it is asked once more
    while len(filled_) < 4:  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert filled_[-1] == filled_[0]
    known.stop()


class Owner:
    """Whoever is signed in."""


def test_drafts_belong_to_a_session_and_are_bounded() -> None:
    drafts, owner, other = Drafts(), Owner(), Owner()
    first = drafts.keep(owner, Draft("w"))
    assert drafts.find(owner, first.id, "w", None) is first
    assert drafts.find(other, first.id, "w", None) is None
    assert drafts.find(owner, first.id, "another", None) is None
    assert drafts.find(owner, first.id, "w", "segment") is None
    assert drafts.unsaved(owner, "w") == []
    first.name = "begun"
    assert drafts.unsaved(owner, "w") == [first]
    for _ in range(MOST):
        drafts.keep(owner, Draft("w"))
    assert drafts.find(owner, first.id, "w", None) is None
    last = drafts.keep(owner, Draft("w"))
    drafts.drop(owner, last.id)
    assert drafts.find(owner, last.id, "w", None) is None
    del owner
    gc.collect()
    assert len(drafts) == 0


@settings(max_examples=40, deadline=None, derandomize=True)
@given(definitions(("s0",), False))
def test_json_as_it_is_shown_is_read_as_the_same(definition: dict[str, Any]) -> None:
    value, fault = read(pretty(definition))
    assert fault == ""
    assert same(value, definition)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"a": 1,}', "Line 1"),
        ('{"a": 1, "a": 2}', "'a' stands twice"),
        ("NaN", "no number"),
        ("[" * 100_000, "more than"),
        ("[" * 60_000, "nested"),
        ("", "Line 1"),
    ],
)
def test_json_that_cannot_be_read_says_why(text: str, fault: str) -> None:
    value, said = read(text)
    assert value is None
    assert fault in said


def test_long_json_has_a_line_for_each_part() -> None:
    long = {"type": "all", "of": [A, {"type": "tag", "name": "x" * 80}]}
    assert json.loads(pretty(long)) == long
    assert '  "of": [\n    {"type": "tag", "name": "a"},' in pretty(long)


def test_a_template_is_filled_in() -> None:
    part = {"name": {"parameter": "a"}, "of": [{"parameter": "b"}, {"parameter": "c"}]}
    assert filled(part, {"a": "x", "b": 1}) == {"name": "x", "of": [1, {"parameter": "c"}]}
