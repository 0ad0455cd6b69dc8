"""One segment for every value of an attribute: a look at the values first, then all of them at once."""

from __future__ import annotations

from livesegments.client import Refused, by_attribute
from livesegments.client.by_attribute import Values
from livesegments.console import paths
from livesegments.console.builder import loading
from livesegments.console.builder.later import plain
from livesegments.console.builder.values import shown
from livesegments.console.builder.view import inputs
from livesegments.console.formats import count, number, short
from livesegments.console.parts.button import button
from livesegments.console.parts.empty import empty
from livesegments.console.parts.table import Column, table
from livesegments.console.parts.tag import Tag, badge, heading, link, paragraph
from livesegments.console.visit import Visit, words

MOST_SHOWN = 200


async def build(visit: Visit) -> None:
    seen = await loading.seen(visit.api)
    with Tag("div", "", "page-head"):
        heading("A segment for every value")
    paragraph(
        "Of the attribute city: one for Kyiv, one for Lviv, and so on. Values that have one keep it.", "muted"
    )
    form = _Form(visit, sorted(seen.attributes))
    if name := visit.query("attribute"):
        await form.look(name)


class _Form:
    def __init__(self, visit: Visit, attributes: list[str]) -> None:
        self._visit = visit
        self._attribute = visit.query("attribute")
        self._name, self._folder = "", ""
        with Tag("div", "", "stack forms"):
            with Tag("section", "", "card", aria_label="Which attribute"), Tag("div", "", "fields"):
                inputs.line("Attribute", self._attribute, self._rename, attributes, when_left=True)
                button("Show its values", lambda: self.look(self._attribute), "primary", "search")
            self._found = Tag("div", "", "stack", aria_live="polite")

    def _rename(self, to: str) -> None:
        self._attribute = to

    async def look(self, attribute: str) -> None:
        if not attribute:
            self._visit.say("Which attribute? Type its name first.", bad=True)
            return
        self._found.clear()
        with self._found:
            paragraph("Counting…", "muted")
        try:
            found = await self._visit.api.send(by_attribute.preview(attribute))
        except Refused as error:
            self._found.clear()
            with self._found:
                paragraph(words(error), "fault")
            return
        self._attribute = attribute
        self._found.clear()
        with self._found:
            self._show(found)

    def _show(self, found: Values) -> None:
        if not found.values:
            empty("Nobody has it", f"No profile has a value of {short(self._attribute, 80)}.", "inbox")
            return
        new = sum(each.segment is None for each in found.values)
        if found.more:
            paragraph("There are more than 1,000 values: too many for a segment each.", "fault")
        elif new:
            with Tag("section", "", "card stack", aria_label="What they are called"):
                with Tag("div", "", "fields"):
                    hint = "{value} stands for the value"
                    inputs.line("Name", f"{self._attribute}: {{value}}", self._call, hint=hint)
                    inputs.line("Folder", "", self._put_in, hint="A path: Places/Cities")
                with Tag("div", "", "row"):
                    button(f"Make {count(new, 'segment')}", self._make, "primary", "add")
                    kept = len(found.values) - new
                    if kept:
                        Tag("span", f"{count(kept, 'value')} already with one", "muted")
        else:
            paragraph("Every value has its segment.", "muted")
        with table("Values", "Value", Column("Profiles", number=True), "Segment"):
            for each in found.values[:MOST_SHOWN]:
                with Tag("tr"):
                    Tag("th", short(shown(plain(each.value)), 120) or "“”", "break", scope="row")
                    Tag("td", number(each.count), "number")
                    with Tag("td"):
                        if each.segment is None:
                            badge("new", "good")
                        else:
                            link(each.segment, paths.segment(each.segment), "break")
        if len(found.values) > MOST_SHOWN:
            paragraph(f"and {len(found.values) - MOST_SHOWN:,} values more", "muted small")

    def _call(self, to: str) -> None:
        self._name = to

    def _put_in(self, to: str) -> None:
        self._folder = to

    async def _make(self) -> None:
        request = by_attribute.create(self._attribute, name=self._name or None, folder=self._folder)
        made = await self._visit.api.send(request)
        self._visit.say(f"{count(len(made.segments), 'segment')} made.")
        await self.look(self._attribute)
