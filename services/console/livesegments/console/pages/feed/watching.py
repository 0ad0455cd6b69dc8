"""The live feed: transitions of one segment or of all. It is heard while the page is open, and goes on where
it was when the api was away."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from nicegui import background_tasks

from livesegments.client import ApiError, Gone, Transition, Unauthorized, segments
from livesegments.console import formats, paths, segment_names
from livesegments.console.pages.feed.heard import MOST, Heard, row
from livesegments.console.parts.button import button
from livesegments.console.parts.empty import empty
from livesegments.console.parts.picker import Picker, finds_segments
from livesegments.console.parts.table import table
from livesegments.console.parts.tag import Tag, badge, heading, link, paragraph
from livesegments.console.visit import Visit, words

SHOW_S = 0.5
AGAIN_S = 1.0
SOME = 50
"""Names that are known from the start; others are asked for when they are heard of."""


async def build(visit: Visit) -> None:
    some = (await visit.api.send(segments.page(limit=SOME))).segments
    names = {each.id: each.name for each in some}
    with Tag("div", "", "page-head"):
        heading("Live feed")
    if not some:
        empty(
            "No segment yet", "Here stands who enters and leaves segments. Make a segment first.", "sensors",
            "New segment" if visit.may("write") else "", paths.NEW_SEGMENT,
        )  # fmt: skip
        return
    wanted = visit.query("segment")
    if wanted and wanted not in names:
        names |= await segment_names.of(visit.api, [wanted])
    segment = wanted if wanted in names else ""
    Feed(visit, segment, names).show()


class Feed:
    def __init__(self, visit: Visit, segment: str, names: dict[str, str]) -> None:
        self._visit, self._segment, self._names = visit, segment, names
        self._heard = Heard()
        self._place = ""
        self._rows: list[Tag] = []

    def show(self) -> None:
        chosen = {self._segment: self._names[self._segment]} if self._segment else {}

        def turned() -> None:
            """The one that was chosen last; none: all of them."""
            other = [*picker.chosen][-1:]
            self._visit.go(paths.with_query(paths.FEED, segment=other[0] if other else ""))

        with Tag("div", "", "find"):
            picker = Picker(
                finds_segments(self._visit), "Segment", "segment", "", turned, chosen, "All segments"
            )
            self._pause = button("Pause", self._turn, picture="pause")
        self._says = paragraph(self._heard.says(), "muted")
        with table(
            "Transitions, the newest first", "Time", "What", "Segment", "Profile", "Cause"
        ) as self._body:
            pass
        listening = background_tasks.create(self._listen(), name="live feed")
        self._visit.client.on_delete(listening.cancel)
        self._visit.every(SHOW_S, self._draw)

    def _turn(self) -> None:
        self._heard.is_paused = not self._heard.is_paused
        self._pause.clear()
        with self._pause:
            Tag("span", "pause" if not self._heard.is_paused else "play_arrow", "icon", aria_hidden="true")
            Tag("span", "Go on" if self._heard.is_paused else "Pause")

    async def _listen(self) -> None:
        """Until the page is closed."""
        while True:
            try:
                await self._hear()
            except Unauthorized:
                self._visit.session.end("refused")
                return
            except Gone:  # it was away for longer than transitions are kept
                self._place = ""
            except ApiError as error:
                self._visit.frame.waiting(True)
                self._visit.say(words(error), bad=True)
            await asyncio.sleep(AGAIN_S)

    async def _hear(self) -> None:
        def opened(place: str) -> None:
            self._place = place
            self._visit.frame.waiting(False)

        transitions = self._visit.api.transitions(
            self._segment or None, after=self._place or None, opened=opened
        )
        async with aclosing(transitions) as heard:
            async for transition in heard:
                self._place = transition.place
                self._heard.add(transition)

    async def _draw(self) -> None:
        coming = self._heard.take()
        unknown = {each.segment for each in coming} - self._names.keys()
        if unknown:
            named = await segment_names.of(self._visit.api, unknown)
            self._names |= {each: named.get(each, each) for each in unknown}
        for transition in coming:
            self._row(transition)
        while len(self._rows) > MOST:
            self._rows.pop(0).delete()
        if self._says.text != (says := self._heard.says()):
            self._says.text = says

    def _row(self, transition: Transition) -> None:
        it = row(transition, self._visit.zone)
        with self._body, Tag("tr") as made:
            Tag("td", it.when, "number")
            with Tag("td"):
                badge("Entered" if it.is_entry else "Left", "good" if it.is_entry else "")
            with Tag("td", "", "break"):
                link(formats.short(self._names.get(it.segment, it.segment)), paths.segment(it.segment))
            with Tag("td", "", "break"):
                link(
                    formats.short(it.profile),
                    paths.profile(it.profile, tab="why", segment=it.segment),
                )
            Tag("td", it.cause)
        made.move(self._body, 0)
        self._rows.append(made)
