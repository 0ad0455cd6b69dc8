"""What turns answers into rows, words and plots: plain functions, without a browser."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import msgspec
import pytest

from livesegments.client import AsyncClient
from livesegments.client.audiences import Advice, AudienceCount
from livesegments.client.errors import BadId, NotFound
from livesegments.client.planning import Ahead, ByCause, Cost, Day, NodeCount, Preview
from livesegments.client.request import Request
from livesegments.client.segments import Segment, Segments
from livesegments.console import formats, paths, segment_names
from livesegments.console.pages.segment.flows import labels, margined, moves, outlook, sizes
from livesegments.console.pages.segment.members import fitting, value
from livesegments.console.pages.segment.overview import cost, part
from livesegments.console.pages.segments import asked
from livesegments.console.pages.segments.actions import audience
from livesegments.console.pages.segments.asked import Asked
from livesegments.console.pages.segments.rows import row
from livesegments.console.parts.chart import Series, options
from livesegments.console.parts.tag import link
from livesegments.core.check import check

KYIV = ZoneInfo("Europe/Kyiv")
AT = datetime(2026, 11, 27, 22, 5, 9, tzinfo=UTC)
SEGMENT = msgspec.convert(
    {
        "id": "vips", "name": "VIPs", "type": "dynamic", "description": "", "tags": ["a", "b", "c", "d"], "folder": "F",
        "topics": [], "tests": [], "definition": {"type": "tag", "name": "vip"}, "version": 3, "definition_version": 1,
        "created_at": AT, "updated_at": AT, "archived_at": None, "count": 1_234_567, "state": "building",
        "progress": {"done": 420, "total": 1_000}, "complete_since": None, "rule": None,
    },
    Segment,
)  # fmt: skip


def test_numbers_are_grouped_and_times_are_the_workspaces() -> None:
    assert [formats.number(each) for each in (1_234_567, 0, 0.5, 2.0)] == ["1,234,567", "0", "0.5", "2"]
    assert formats.moment(AT, KYIV) == "28 Nov 2026, 00:05" and formats.day(AT, KYIV) == "28 Nov 2026"
    assert formats.exact(AT, KYIV) == "28 Nov 2026, 00:05:09 EET"
    assert [formats.span(timedelta(seconds=each)) for each in (1, 90, 90_000)] == [
        "1 second",
        "1 minute",
        "1 day",
    ]
    assert (formats.count(1, "profile"), formats.count(2_000, "profile")) == ("1 profile", "2,000 profiles")
    assert len(formats.short("x" * 10_000)) == formats.LONGEST


def test_a_row_says_how_far_a_segment_is() -> None:
    shown = row(SEGMENT, KYIV)
    assert (shown.count, shown.state, shown.state_kind) == ("1,234,567", "Building, 42 %", "warn")
    assert (shown.labels, shown.more_labels, shown.created) == (["a", "b", "c"], 1, "28 Nov 2026")


def test_what_is_asked_for_stands_in_the_address_and_nothing_strange_is_asked() -> None:
    given = asked.read({"search": "x y", "tag": "geo", "sort": "size", "order": "desc", "state": "ready"})
    assert given.path() == "/segments?search=x+y&tag=geo&state=ready&sort=size&order=desc"
    assert given.request("c").query == {
        "search": "x y", "tag": "geo", "state": "ready", "sort": "size", "order": "desc", "limit": 50, "cursor": "c",
    }  # fmt: skip
    strange = asked.read(
        {"sort": "__class__", "order": "up", "state": "<b>", "type": "x", "search": "y" * 9_999}
    )
    assert strange == Asked(search="y" * asked.LONGEST)


def test_a_heads_press_turns_the_order() -> None:
    first = Asked().turned("size")
    assert (first.sort, first.order, first.turned("size").order) == ("size", "desc", "asc")
    assert first.sorted_by("size") == "descending" and first.sorted_by("name") == ""
    assert first.turned("name").order == "asc"


def test_ids_never_lead_elsewhere() -> None:
    assert paths.segment("..", "members") == "/segments/%2E%2E/members"
    with pytest.raises(BadId):
        paths.segment("../x")
    assert paths.profile("<img>/?#") == "/profiles/%3Cimg%3E%2F%3F%23"


def test_days_become_plots_with_those_who_left_below_the_line() -> None:
    days = [
        Day(day=date(2026, 11, 26), entered=3, exited=1, size=10, causes=[
            ByCause(cause="clock", entered=0, exited=1), ByCause(cause="event", entered=3, exited=0)]),
        Day(day=date(2026, 11, 27), entered=0, exited=0, size=10, causes=[]),
    ]  # fmt: skip
    assert labels(days) == ["26 Nov", "27 Nov"]
    assert sizes(days) == [Series("Profiles", [10, 10], "area")]
    assert moves(days) == [
        Series("Exited by time passing", [-1, 0], "bar", "moves"), Series("Entered by an event", [3, 0], "bar", "moves"),
    ]  # fmt: skip


def test_plots_know_no_markup() -> None:
    drawn = options(["<b>"], [Series("<img>", [1]), Series("x", [None], "bar", "s")])
    assert drawn["tooltip"]["renderMode"] == "richText" and "formatter" not in str(drawn)


def test_a_forecast_has_its_margins() -> None:
    ahead = Ahead(within="7d", until=AT, leave=1_200, leave_margin=30, enter=0, enter_margin=0)
    (line,) = outlook([ahead])
    assert (line.within, line.leave, line.enter) == ("Within 7 days", "1,200 ± 30", "0")
    assert margined(5, 0) == "5"


def test_a_filter_of_members_is_a_definition() -> None:
    number = fitting("vips", "age", "42")
    assert [each["value"] for each in number["of"][1]["of"]] == ["42", 42]
    for wanted in ("Kyiv", "42", "true", "[1]", "{", "1e999", "NaN"):
        assert check(fitting("vips", "city", wanted)["of"][1])[1] == []


def test_values_are_cells() -> None:
    assert [value({"a": each}, "a") for each in ("x", 1, None, ["é"])] == ["x", "1", "null", '["é"]']
    assert value({}, "a") == "–"


def test_parts_of_a_definition_are_said() -> None:
    definition = {"type": "all", "of": [{"type": "tag", "name": "vip"}]}
    assert part(definition, "") == "All of it" and "vip" in part(definition, "/of/0")
    assert part(definition, "/of/7/x") == "/of/7/x"


def test_a_cost_is_a_sentence() -> None:
    counted = Preview(
        at=AT, profiles=2_000, count=10, margin=0, nodes=[NodeCount(pointer="", count=10)], sample=[], lacking=[], warnings=[],
        cost=Cost(new_facts=2, bytes_a_profile=33.4, looked_at=100, shared=[]),
    )  # fmt: skip
    assert (
        cost(counted)
        == "10 of 2,000 profiles. 0 conditions shared with other segments; 2 facts of its own, 33 bytes a profile."
    )


def test_an_audience_is_as_the_api_has_it() -> None:
    assert audience.asked("vips", ["a", "b"], " email ", " news ") == {
        "include": ["vips"], "exclude": ["a", "b"], "consent": {"channel": "email", "topic": "news"},
    }  # fmt: skip
    assert "4 parts" in audience.advised(Advice(size="split", parts=4))
    counted = AudienceCount(count=1_204, advice=Advice(size="test", parts=1), warnings=[])
    assert audience.reaches(counted) == "It reaches 1,204 profiles. A size for a test."
    assert audience.reaches(msgspec.structs.replace(counted, count=0)) == "It reaches nobody."


def test_a_link_stays_in_the_console() -> None:
    for path in ("javascript:alert(1)", "//evil.example", "https://evil.example"):
        with pytest.raises(AssertionError):
            link("x", path)


async def test_names_of_segments_are_known_beyond_the_first_thousand() -> None:
    """Those that a page shows are asked for by their ids; who is gone stays without a name."""

    class Api:
        async def send(self, request: Request[Any]) -> Any:
            if request.path == "/v1/segments":
                return Segments(segments=[SEGMENT], next_cursor="more")
            if request.path.endswith("/gone"):
                raise NotFound(404, "Not found", "There is no segment 'gone'.", ())
            return msgspec.structs.replace(SEGMENT, id="late", name="Late")

    definition = {
        "type": "all",
        "of": [{"type": "segment", "id": "late"}, {"type": "not", "of": {"type": "segment", "id": 7}}],
    }
    assert list(segment_names.named_in(definition)) == ["late"]
    shown = ["vips", *segment_names.named_in(definition), "gone"]
    known = await segment_names.of_workspace(cast(AsyncClient, Api()), shown)
    assert known == {"vips": "VIPs", "late": "Late"}
