"""A segment at a glance: its size of now and over time, who came and went by cause, its definition in
words, the forecast, how far it is built, and what it costs."""

from __future__ import annotations

import json

from nicegui import background_tasks

from livesegments.client import planning, segments
from livesegments.client.planning import Flow, Preview
from livesegments.client.segments import Segment
from livesegments.console import formats, paths, segment_names
from livesegments.console.pages.segment import flows
from livesegments.console.pages.segment.head import Head, begin
from livesegments.console.pages.segments.rows import share
from livesegments.console.parts.button import button
from livesegments.console.parts.chart import plot
from livesegments.console.parts.dialog import Dialog
from livesegments.console.parts.empty import empty
from livesegments.console.parts.table import Column, table
from livesegments.console.parts.tag import Tag, heading, paragraph
from livesegments.console.visit import Visit
from livesegments.core.sentence.nodes import phrase, sentence

LOOK_S = 1.0
DAYS = 30
MOST_NODES = 200
STATIC = "A list: who is on it was put there by name, by a program, a file or a person."


async def build(visit: Visit) -> None:
    head = await begin(visit)
    flow = await visit.api.send(planning.flow(head.segment.id, days=DAYS))
    glance = Glance(visit, head, flow)
    names = await segment_names.of(visit.api, segment_names.named_in(head.segment.definition))
    _definition(head.segment, names)
    _plots(flow)
    if head.segment.type == "dynamic" and head.segment.archived_at is None:
        with Tag("div", "", "cards"):
            forecast = _card("What time alone will do")
            costs = _card("What it counts and costs")
        background_tasks.create(_forecast(visit, head.segment, forecast))
        with costs:
            paragraph("How many fit every part of it, and what a profile keeps for it.", "muted")
            button("Count it now", lambda: _count(visit, head.segment, costs))
    visit.every(LOOK_S, glance.look)


class Glance:
    """The figures that change while one looks."""

    def __init__(self, visit: Visit, head: Head, flow: Flow) -> None:
        self._visit, self._head = visit, head
        segment, today = head.segment, flow.days[-1] if flow.days else None
        with Tag("dl", "", "figures"):
            self._size = _figure("Profiles", formats.number(segment.count))
            self._size.set(aria_live="off", data_figure="size")
            _figure("Entered today", formats.number(today.entered if today else 0))
            _figure("Exited today", formats.number(today.exited if today else 0))
            _figure("Definition", f"version {formats.number(segment.definition_version)}")
            _figure("Edited", formats.moment(segment.updated_at, visit.zone))
        self._building = Tag("section", "", "card", aria_label="How far it is built")
        with self._building:
            self._says = paragraph("")
            self._bar = Tag("progress", aria_label="Evaluated profiles", max=1, value=0)
            if visit.may("write"):
                button("Cancel", self._cancel)
        self._show_building(segment)

    async def look(self) -> None:
        segment = await self._visit.api.send(segments.read(self._head.segment.id))
        shown = self._head.show(segment)
        if self._size.text != shown.count:
            self._size.text = shown.count
        self._show_building(segment)

    def _show_building(self, segment: Segment) -> None:
        is_building = segment.state == "building"
        self._building.set(hidden=not is_building)
        if not is_building:
            return
        progress = segment.progress
        many, of = formats.number(progress.done), formats.number(progress.total)
        end = progress.estimated_end
        until = f", until about {formats.moment(end, self._visit.zone)}" if end else ""
        self._says.text = (
            f"Built from history: {many} of {of} profiles ({share(progress.done, progress.total)}){until}."
        )
        self._bar.set(max=max(1, progress.total), value=progress.done)

    def _cancel(self) -> None:
        dialog = Dialog(self._visit, "Cancel the build?")
        with dialog.body:
            paragraph("An edited segment goes back to what it was; a new one is deleted.")

        async def do() -> None:
            done = await self._visit.api.send(segments.cancel_build(self._head.segment.id))
            self._visit.go(paths.segment(done.segment.id) if done.segment else paths.SEGMENTS)

        dialog.offer("Cancel the build", do, "danger").open()


def _figure(name: str, value: str) -> Tag:
    with Tag("div", "", "figure"):
        Tag("dt", name)
        return Tag("dd", value)


def _card(name: str) -> Tag:
    card = Tag("section", "", "card stack")
    with card:
        heading(name, 2)
    return card


def _definition(segment: Segment, names: dict[str, str]) -> None:
    with _card("Who is in it"):
        if segment.definition is None:
            paragraph(STATIC)
            return
        paragraph(formats.short(sentence(segment.definition, names), 4_000), "sentence break")
        with Tag("details"):
            Tag("summary", "As JSON")
            text = json.dumps(segment.definition, indent=2, ensure_ascii=False)
            Tag("pre", text, "definition", tabindex="0", role="region", aria_label="Definition as JSON")


def _plots(flow: Flow) -> None:
    names = flows.labels(flow.days)
    with Tag("div", "", "cards"):
        with _card(f"Size, {DAYS} days"):
            plot(f"Profiles at the end of each of {DAYS} days", names, flows.sizes(flow.days), "Day")
        with _card("Entered and exited, by cause"):
            moves = flows.moves(flow.days)
            if moves:
                plot("Profiles that entered and exited, by day and cause", names, moves, "Day")
            else:
                empty(
                    "Nobody came or went", f"In the last {DAYS} days nobody entered or left it.", "timeline"
                )


async def _forecast(visit: Visit, segment: Segment, card: Tag) -> None:
    """Beside the page: it looks at many profiles."""
    with card:
        waiting = paragraph("It is worked out…", "muted")
        waiting.set(role="status")
    found = await visit.api.send(planning.forecast(segment.id))
    waiting.delete()
    with card:
        if not found.ahead:
            paragraph("Time alone changes nothing here.", "muted")
            return
        with table("Forecast", "Within", Column("Leave", number=True), Column("Enter", number=True)):
            for each in flows.outlook(found.ahead):
                with Tag("tr"):
                    Tag("th", each.within, scope="row")
                    Tag("td", each.leave, "number")
                    Tag("td", each.enter, "number")
        paragraph("If nobody does anything: no event, no change.", "muted small")


async def _count(visit: Visit, segment: Segment, card: Tag) -> None:
    found = await visit.api.send(planning.preview(segment.definition, sample=0))
    card.clear()
    with card:
        heading("What it counts and costs", 2)
        paragraph(cost(found), "muted")
        with table(
            "Counts of every part", "Part", Column("Profiles", number=True), Column("Share", hidden=True)
        ):
            for node in found.nodes[:MOST_NODES]:
                with Tag("tr"):
                    Tag("th", formats.short(part(segment.definition, node.pointer)), "break", scope="row")
                    Tag("td", formats.number(node.count), "number")
                    with Tag("td"):
                        Tag(
                            "progress",
                            aria_label="Share of all profiles",
                            max=max(1, found.profiles),
                            value=node.count,
                        )


def part(definition: object, pointer: str) -> str:
    """A node of the definition in words; the whole has no pointer."""
    node = definition
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        try:
            node = node[int(name)] if isinstance(node, list) else node[name]  # type: ignore[index]
        except (KeyError, IndexError, ValueError, TypeError):
            return pointer
    return "All of it" if not pointer else phrase(node)


def cost(found: Preview) -> str:
    """What a profile keeps for it, in words."""
    if found.cost is None:
        return "What it costs is not known of an estimate."
    each = found.cost.bytes_a_profile
    size = f", {formats.number(round(each))} bytes a profile" if each else ""
    fit = f"{formats.number(found.count)} of {formats.count(found.profiles, 'profile')}"
    shared = formats.count(len(found.cost.shared), "condition")
    kept = formats.count(found.cost.new_facts, "fact")
    return f"{fit}. {shared} shared with other segments; {kept} of its own{size}."
