"""Who is in a segment: pages of 50 with chosen columns, a search by id, and a filter by the value of an
attribute."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from livesegments.client import members, planning
from livesegments.client.members import Members, Membership
from livesegments.client.segments import Segment
from livesegments.console import formats, paths
from livesegments.console.pages.segment import by_hand
from livesegments.console.pages.segment.head import begin
from livesegments.console.pages.segments.actions.export import listed
from livesegments.console.parts.button import button
from livesegments.console.parts.empty import empty
from livesegments.console.parts.field import text_field
from livesegments.console.parts.paging import Paging
from livesegments.console.parts.table import Column, table
from livesegments.console.parts.tag import Tag, badge, link, paragraph
from livesegments.console.visit import Visit

PAGE = 50
MOST_COLUMNS = 20
FOUND = 50
BY_ITSELF = "Whoever fits the definition enters by itself, within moments."
OF_A_LIST = (
    "Profiles are put on the list by their ids, by an import, or by a source that it is kept equal to."
)
LARGEST = 2**63
"""Larger numbers are none of an attribute's."""


async def build(visit: Visit) -> None:
    head = await begin(visit, "members")
    shown = Listing(visit, head.segment)
    shown.controls()
    await shown.show()


class Listing:
    def __init__(self, visit: Visit, segment: Segment) -> None:
        self._visit, self._segment, self._listed = visit, segment.id, segment
        is_list = segment.type == "static" and segment.archived_at is None
        self._by_hand = is_list and visit.may("write")
        self._columns = listed(visit.query("columns"))[:MOST_COLUMNS]
        self._paging = Paging("Pages of members", PAGE, self.show)
        self._attribute = self._value = ""

    def controls(self) -> None:
        with Tag("div", "", "filters"):
            text_field(
                "Find a profile",
                kind="search",
                placeholder="Its whole id",
                classes="search",
                changed=self._find,
            )
            text_field(
                "Columns",
                ", ".join(self._columns),
                placeholder="city, email",
                longest=2_000,
                changed=self._choose,
            )
            text_field("Only where attribute", longest=200, changed=self._of)
            text_field("is", longest=200, changed=self._is)
        if self._by_hand:
            with Tag("div", "", "row"):
                put_on = partial(by_hand.put_on, self._visit, self._listed, self.show)
                button("Put profiles on it", put_on, picture="add")
        self._place = Tag("div", "", "stack tight")

    async def show(self) -> None:
        request = members.page(
            self._segment, fields=self._columns, include="times", limit=PAGE, cursor=self._paging.cursor
        )
        page = await self._paging.newest(self._visit.api.send(request))
        if page is None:
            return
        self._place.clear()
        with self._place:
            if not page.members and self._paging.is_first:
                static = self._listed.type == "static"
                empty("Nobody is in it now", OF_A_LIST if static else BY_ITSELF, "group_off")
            else:
                self._table(page)
                self._paging.foot(len(page.members), page.next_cursor)

    def _table(self, page: Members) -> None:
        values = {each.profile: each.fields for each in page.fields}
        times = {each.profile: each for each in page.times}
        chosen = [Column(formats.short(name, 40)) for name in self._columns]
        if self._by_hand:
            chosen.append(Column("What to do", hidden=True))
        with table("Members", "Profile", "Entered", "Until at most", *chosen):
            for profile in page.members:
                at = times.get(profile)
                with Tag("tr"):
                    with Tag("th", "", "break", scope="row"):
                        link(formats.short(profile, 120), paths.profile(profile))
                    Tag(
                        "td", formats.moment(at.entered_at, self._visit.zone) if at and at.entered_at else "–"
                    )
                    Tag(
                        "td",
                        formats.moment(at.valid_until, self._visit.zone) if at and at.valid_until else "open",
                    )
                    for name in self._columns:
                        Tag("td", value(values.get(profile, {}), name), "break")
                    if self._by_hand:
                        with Tag("td", "", "actions"):
                            off = partial(by_hand.take_off, self._visit, self._listed, profile, self.show)
                            button("Take off", off, "quiet", label=f"Take {formats.short(profile, 60)} off")

    async def _choose(self, text: str) -> None:
        self._columns = listed(text)[:MOST_COLUMNS]
        self._visit.address(paths.segment(self._segment, "members", columns=",".join(self._columns)))
        await self.show()

    async def _find(self, profile: str) -> None:
        if not profile.strip():
            await self.show()
            return
        request = members.read(self._segment, profile.strip())
        found = await self._paging.newest(self._visit.api.send(request))
        if found is None:
            return
        self._place.clear()
        with self._place:
            self._one(found)

    def _one(self, found: Membership) -> None:
        with Tag("div", "", "card row"):
            link(formats.short(found.profile, 200), paths.profile(found.profile), "break")
            badge("in it", "good") if found.is_in else badge("not in it")
            if found.entered_at:
                Tag("span", f"since {formats.moment(found.entered_at, self._visit.zone)}", "muted")

    async def _of(self, attribute: str) -> None:
        self._attribute = attribute.strip()
        await self._filter()

    async def _is(self, wanted: str) -> None:
        self._value = wanted.strip()
        await self._filter()

    async def _filter(self) -> None:
        if not (self._attribute and self._value):
            await self.show()
            return
        asked = fitting(self._segment, self._attribute, self._value)
        request = planning.preview(asked, sample=FOUND)
        found = await self._paging.newest(self._visit.api.send(request))
        if found is None:
            return
        self._place.clear()
        with self._place:
            many = formats.count(found.count, "member")
            paragraph(
                f"{many} with {formats.short(self._attribute, 60)} “{formats.short(self._value, 60)}”.",
                "muted",
            )
            if found.sample:
                with table("Members that fit", "Profile"):
                    for each in found.sample:
                        with Tag("tr"), Tag("th", "", "break", scope="row"):
                            link(formats.short(each.profile, 120), paths.profile(each.profile))
            if found.count > len(found.sample):
                paragraph(
                    f"These are the first {len(found.sample)}; a segment of its own, or an export, has all.",
                    "small",
                )


def fitting(segment: str, attribute: str, wanted: str) -> dict[str, Any]:
    """A definition: in the segment, and the attribute has the value, as text, or as the number or truth
    that it is written as; pure."""
    values: list[Any] = [wanted]
    try:
        read = json.loads(wanted)
    except ValueError:
        read = None
    if isinstance(read, bool | int | float) and abs(read) < LARGEST:
        values.append(read)
    same = [{"type": "attribute", "name": attribute, "op": "eq", "value": each} for each in values]
    return {
        "type": "all",
        "of": [{"type": "segment", "id": segment}, {"type": "any", "of": same} if len(same) > 1 else same[0]],
    }


def value(fields: dict[str, Any], name: str) -> str:
    """As a cell shows it: texts as they are, all else as JSON."""
    if name not in fields:
        return "–"
    found = fields[name]
    return formats.short(found if isinstance(found, str) else json.dumps(found, ensure_ascii=False))
