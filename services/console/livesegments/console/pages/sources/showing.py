"""One list that follows something: from where, when, the run that is under way, the last one, and what can be
done: run it now, let members go whom a run would have taken off, edit it, let it follow nothing any more."""

from __future__ import annotations

from livesegments.client import NotFound, segments, sources
from livesegments.client.segments import Segment
from livesegments.client.sources import LastRun, Now, Source
from livesegments.console import formats, paths
from livesegments.console.pages.sources import shown
from livesegments.console.parts.button import button, link_button
from livesegments.console.parts.dialog import Dialog
from livesegments.console.parts.empty import empty
from livesegments.console.parts.tag import Tag, badge, heading, link, paragraph
from livesegments.console.visit import Visit

LOOK_S = 1.0
HELD = """The last run would have taken {} off the list, more than may go by itself. Nothing was changed: look
whether the source is as it should be, then let them go."""
LET_GO = """The source is read again, and up to {} are taken off the list. If more are missing by then, the
run is held again."""


async def build(visit: Visit) -> None:
    segment = await visit.api.send(segments.read(visit.part("segment")))
    try:
        found = await visit.api.send(sources.read(segment.id))
    except NotFound:
        _nothing(visit, segment)
        return
    page = Showing(visit, segment)
    page.show(found)
    visit.every(LOOK_S, page.look)


def _nothing(visit: Visit, segment: Segment) -> None:
    heading(formats.short(segment.name), classes="break")
    may = visit.may("write") and segment.type == "static"
    says = (
        "It can be kept equal to a table, a query or a file."
        if segment.type == "static"
        else "Only a static list can."
    )
    action = "Keep it equal to something" if may else ""
    empty("It follows nothing", says, "sync_alt", action, paths.edit_source(segment.id))


class Showing:
    def __init__(self, visit: Visit, segment: Segment) -> None:
        self._visit, self._segment = visit, segment
        self._last: Source | None = None
        link("External lists", paths.SOURCES, "small")
        with Tag("div", "", "page-head"):
            with Tag("div", "", "stack tight"):
                heading(formats.short(segment.name), classes="break")
                link("The list, with its members", paths.segment(segment.id))
            if visit.may("write"):
                with Tag("div", "", "row"):
                    self._run_button = button("Run now", self._run, "primary", "sync")
                    link_button("Edit", paths.edit_source(segment.id), "plain", "edit")
                    button("Follow nothing", self._stop, "danger")
        self._place = Tag("div", "", "stack")

    async def look(self) -> None:
        self.show(await self._visit.api.send(sources.read(self._segment.id)))

    def show(self, now: Source) -> None:
        """Draws anew only where something is another by now: the focus stays."""
        if now == self._last:
            return
        self._last = now
        if self._visit.may("write"):
            self._run_button.set(disabled=now.now is not None)
        self._place.clear()
        with self._place:
            if now.now is not None:
                _under_way(now.now)
            elif now.last is not None and now.last.state == "held":
                self._held(now.last)
            if now.last is not None:
                _last_run(self._visit, now.last)
            elif now.now is None:
                empty("It was not read yet", "“Run now” reads it at once.", "sync")
            with Tag("section", "", "card", aria_label="What it follows"):
                heading("What it follows", 2)
                with Tag("dl", "", "pairs"):
                    for name, value in shown.rules(now, self._visit.zone):
                        with Tag("div"):
                            Tag("dt", name)
                            Tag("dd", value, "break")

    def _held(self, run: LastRun) -> None:
        many = formats.count(run.gone, "member")
        with Tag("section", "", "card stack held", aria_label="A run that is held"):
            paragraph(HELD.format(many))
            if self._visit.may("write"):
                button(f"Let {many} go", lambda: self._let_go(run), "danger")

    async def _run(self) -> None:
        self._run_button.set(disabled=True)
        try:
            self.show(await self._visit.api.send(sources.run(self._segment.id)))
        finally:
            self._run_button.set(disabled=self._last is not None and self._last.now is not None)

    def _let_go(self, run: LastRun) -> None:
        many = formats.count(run.gone, "member")
        dialog = Dialog(self._visit, f"Let {many} go?")
        with dialog.body:
            paragraph(LET_GO.format(many))

        async def run_again() -> None:
            self.show(await self._visit.api.send(sources.run(self._segment.id, may_remove=run.gone)))

        dialog.offer("Let them go", run_again, "danger").open()

    def _stop(self) -> None:
        dialog = Dialog(self._visit, "Let it follow nothing any more?")
        with dialog.body:
            paragraph("The list stays as it is now. Nothing is put on it or taken off it by itself any more.")

        async def stop() -> None:
            await self._visit.api.send(sources.delete(self._segment.id))
            self._visit.go(paths.SOURCES)

        dialog.offer("Follow nothing", stop, "danger").open()


def _under_way(now: Now) -> None:
    with Tag("section", "", "card stack", aria_label="The run that is under way"):
        says = (
            f"It is being read: {formats.count(now.rows, 'row')} so far, {formats.number(now.added)} put on "
            f"the list, {formats.number(now.removed)} taken off."
        )
        paragraph(says).set(role="status")
        Tag("progress", aria_label="The run is under way")
        if now.reason:
            paragraph(f"It waits: {formats.short(now.reason)}", "muted")


def _last_run(visit: Visit, run: LastRun) -> None:
    with Tag("section", "", "card stack", aria_label="The last run"):
        with Tag("div", "", "row"):
            heading("The last run", 2)
            badge(run.state, shown.KINDS.get(run.state, ""))
            Tag("span", shown.when(run, visit.zone), "muted")
        if run.error:
            paragraph(formats.short(run.error, 500), "muted break" if run.state == "held" else "fault break")
        with Tag("dl", "", "figures"):
            for name, value in shown.figures(run):
                with Tag("div", "", "figure"):
                    Tag("dt", name)
                    Tag("dd", value)
