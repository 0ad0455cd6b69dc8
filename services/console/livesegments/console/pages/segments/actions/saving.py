"""Saving a segment's members of now as a static list, in the background, with its progress."""

from __future__ import annotations

from collections.abc import Callable

from livesegments.client import list_jobs, segments
from livesegments.client.segments import Segment
from livesegments.console import formats
from livesegments.console.parts.dialog import Dialog, Refuse
from livesegments.console.parts.field import text_field
from livesegments.console.parts.progress import Bar, Step, until_ended
from livesegments.console.parts.tag import paragraph
from livesegments.console.visit import Visit

WHAT = """A new static list with those who are in it now, {}. Whoever enters or leaves the segment later
changes nothing on the list."""


async def open_dialog(visit: Visit, segment: Segment, again: Callable[[], None]) -> None:
    name = formats.short(segment.name, 60)
    dialog = Dialog(visit, f"Save {name} as a list")
    with dialog.body:
        paragraph(WHAT.format(formats.count(segment.count, "profile")))
        wanted = text_field("Name of the list", f"{name}, saved", longest=200)

    async def save() -> None:
        chosen = wanted.value.strip()
        if not chosen:
            raise Refuse("The list needs a name.")
        origin = f"Saved from {segment.id}"
        made = await visit.api.send(segments.create(chosen, type="static", description=origin))
        job = await visit.api.send(list_jobs.create(made.id, {"include": [segment.id]}))
        with dialog.body:
            bar = Bar("Saving the list", "profiles")

        async def look() -> Step:
            now = await visit.api.send(list_jobs.read(job.id))
            fault = (now.reason or "it failed") if now.state == "failed" else ""
            return Step(now.done, now.total, now.state != "running", fault)

        step = await until_ended(look, bar)
        if step.fault:
            raise Refuse(f"The list is not whole: {step.fault}")
        visit.say(f"{chosen} has {formats.count(step.done, 'profile')}.")
        again()

    dialog.offer("Save", save).open()
