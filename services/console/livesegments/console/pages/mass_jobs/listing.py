"""Mass jobs that are under way, with their progress, and those that ended within the last day."""

from __future__ import annotations

from functools import partial
from itertools import chain

from livesegments.client import mass_jobs
from livesegments.client.mass_jobs import MassJob
from livesegments.console import segment_names
from livesegments.console.pages.mass_jobs.rows import Row, included, row
from livesegments.console.parts.button import button
from livesegments.console.parts.dialog import Dialog
from livesegments.console.parts.empty import empty
from livesegments.console.parts.table import Column, table
from livesegments.console.parts.tag import Tag, badge, heading, paragraph
from livesegments.console.visit import Visit

LOOK_S = 1.0
NOTHING = """Profiles of a segment are changed, set to the score 0 or deleted from its menu. What is under way
stands here for a day."""


async def build(visit: Visit) -> None:
    heading("Mass jobs")
    listing = Listing(visit)
    await listing.look()
    visit.every(LOOK_S, listing.look)


class Listing:
    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._names: dict[str, str] = {}
        self._place = Tag("div", "", "section")
        self._shown: list[tuple[str, str, str]] | None = None
        self._progress: dict[str, tuple[Tag, Tag]] = {}
        """Id → how far it is in words, and as a bar."""

    async def look(self) -> None:
        """A job that goes on moves its bar; the table is made anew only where jobs or their states are
        others, so that the focus stays."""
        jobs = (await self._visit.api.send(mass_jobs.read_all())).jobs
        states = [(each.id, each.state, each.reason or "") for each in jobs]
        if states != self._shown:
            self._shown = states
            unknown = set(chain.from_iterable(map(included, jobs))) - self._names.keys()
            named = await segment_names.of(self._visit.api, unknown)
            self._names |= {each: each for each in unknown} | named
            self._draw(jobs)
            return
        for job in jobs:
            says, bar = self._progress[job.id]
            text = self._row(job).done
            if says.text != text:
                says.text = text
                bar.set(max=max(1, job.total), value=job.done)

    def _row(self, job: MassJob) -> Row:
        return row(job, self._names, self._visit.zone)

    def _draw(self, jobs: list[MassJob]) -> None:
        self._place.clear()
        self._progress = {}
        with self._place:
            if not jobs:
                empty("No mass job of the last day", NOTHING, "published_with_changes")
                return
            heads = ("What", "Profiles of", "State", "How far", "Begun")
            with table("Mass jobs", *heads, Column("What to do", hidden=True)):
                for job in jobs:
                    with Tag("tr"):
                        self._cells(job, self._row(job))

    def _cells(self, job: MassJob, shown: Row) -> None:
        Tag("th", shown.action, scope="row")
        Tag("td", shown.whom, "break")
        with Tag("td"):
            badge(shown.state, shown.kind)
            if shown.reason:
                paragraph(shown.reason, "muted small break")
        with Tag("td", "", "progress-cell"):
            says = Tag("span", shown.done, "number")
            label = f"{shown.action}: profiles done"
            bar = Tag("progress", aria_label=label, max=max(1, job.total), value=job.done)
        self._progress[job.id] = (says, bar)
        Tag("td", shown.begun)
        with Tag("td", "", "actions"):
            if shown.is_open and self._visit.may("write"):
                button("Cancel", partial(self._cancel, job), label=f"Cancel: {shown.action} {shown.whom}")

    def _cancel(self, job: MassJob) -> None:
        shown = self._row(job)
        dialog = Dialog(self._visit, f"Cancel “{shown.action}” of {shown.whom}?")
        with dialog.body:
            paragraph("It ends now. What it has changed so far stays changed.")

        async def cancel() -> None:
            await self._visit.api.send(mass_jobs.cancel(job.id))
            self._visit.say("The job is cancelled.")
            await self.look()

        dialog.offer("Cancel the job", cancel, "danger").open()
