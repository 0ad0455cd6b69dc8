"""One import: where its columns go, what would become of it, how far it is, and which rows were refused."""

from __future__ import annotations

from typing import Any

from livesegments.client import imports
from livesegments.client.imports import Import, ImportCheck
from livesegments.console import formats, paths
from livesegments.console.pages.imports.boxes import Boxes
from livesegments.console.pages.imports.plan import TYPES, Goes, at_first, consent, moved, plan
from livesegments.console.parts.button import button, link_button
from livesegments.console.parts.field import Field, check_field, choice_field, text_field
from livesegments.console.parts.progress import Bar, Step
from livesegments.console.parts.table import Column, table
from livesegments.console.parts.tag import Tag, heading, link, paragraph
from livesegments.console.visit import Visit

LOOK_S = 1.0
GOES = {
    "skip": "not taken",
    "id": "the id",
    "email": "e-mail, which is the id",
    "attribute": "attribute",
    "tags": "tags",
    "consent": "consent to a channel, or channel/topic",
}


async def build(visit: Visit) -> None:
    it = await visit.api.send(imports.read(visit.part("import")))
    with Tag("div", "", "page-head"):
        heading(formats.short(it.file_name))
    if it.state == "uploading":
        if not it.bytes:
            paragraph("Its file has not come. Choose it again, under Imports.")
        elif visit.may("write"):
            await _map(visit, it)
        else:
            paragraph("It waits for somebody who may write.")
        return
    await _follow(visit, it)


async def _map(visit: Visit, it: Import) -> None:
    seen = await visit.api.send(imports.columns(it.id))
    rows: list[tuple[str, Field[str], Field[str], Field[str]]] = []

    def where() -> list[str]:
        return [goes.value for _, goes, _, _ in rows]

    def dragged(number: int, to: str) -> None:
        for (_, goes, _, _), now in zip(rows, moved(where(), number, to), strict=True):
            if goes.value != now:
                goes.choose(now)
        boxes.show(where())

    paragraph(
        "Drag a column to where it goes, move it by the arrow keys, or choose it in the table.", "muted"
    )
    boxes = Boxes(GOES, [each.name for each in seen.columns], dragged)
    with table("Columns", "Column", "Some cells", "Goes to", "Attribute, or channel/topic", "Type"):
        for each, by_itself in zip(seen.columns, at_first(seen.columns), strict=True):
            with Tag("tr"):
                Tag("th", formats.short(each.name), "break", scope="row")
                Tag("td", formats.short(" · ".join(each.samples)), "break muted")
                label = f"of {formats.short(each.name)}"
                with Tag("td"):
                    goes = choice_field(
                        f"Goes to, {label}",
                        GOES,
                        by_itself.to,
                        hidden_label=True,
                        changed=lambda _: boxes.show(where()),
                    )
                with Tag("td"):
                    name = text_field(
                        f"Attribute, {label}", by_itself.attribute, longest=256, hidden_label=True
                    )
                with Tag("td"):
                    kind = choice_field(f"Type, {label}", TYPES, by_itself.type, hidden_label=True)
            rows.append((each.name, goes, name, kind))
    boxes.show(where())
    with Tag("div", "", "stack form section"):
        segment = text_field("Put them into a new segment", hint="Its name; empty: into none.", longest=200)
        remove = check_field("An empty cell takes the attribute away")
    place = Tag("div", "", "stack above")

    def asked() -> dict[str, Any] | None:
        found = [(column, Goes(goes.value, name.value, kind.value)) for column, goes, name, kind in rows]
        try:
            return plan(found, remove.value)
        except ValueError as error:
            visit.say(str(error), bad=True)
            return None

    async def look() -> None:
        if (made := asked()) is not None:
            checked = await visit.api.send(imports.check(it.id, **made))
            place.clear()
            with place:
                _checked(checked)

    async def start() -> None:
        if (made := asked()) is not None:
            if segment.value.strip():
                made["new_segment"] = segment.value.strip()
            await visit.api.send(imports.start(it.id, **made))
            visit.go(paths.one_import(it.id))

    with Tag("div", "", "row"):
        button("Look first", look)
        button("Import", start, "primary")


def _checked(found: ImportCheck) -> None:
    whole = "" if found.whole else " that were looked at"
    rows = formats.count(found.rows, "row")
    refused = formats.number(found.refused)
    paragraph(f"{formats.number(found.accepted)} of {rows}{whole} would be taken, {refused} refused.")
    if found.preview:
        with table("The first rows", "Profile", "Attributes", "Tags", "Consent"):
            for each in found.preview:
                with Tag("tr"):
                    Tag("th", formats.short(each.profile), "break", scope="row")
                    attributes = ", ".join(f"{name}: {value}" for name, value in each.attributes.items())
                    Tag("td", formats.short(attributes, 200), "break")
                    Tag("td", formats.short(", ".join(each.tags)), "break")
                    Tag("td", formats.short(", ".join(map(consent, each.consent))), "break")
    if found.faults:
        with table("Refused rows", Column("Row", number=True), "Column", "Why"):
            for fault in found.faults:
                with Tag("tr"):
                    Tag("td", formats.number(fault.row), "number")
                    Tag("td", formats.short(fault.column), "break")
                    Tag("td", formats.short(fault.message, 200), "break")


async def _follow(visit: Visit, it: Import) -> None:
    place = Tag("div", "", "stack")
    if it.state in ("waiting", "running"):
        with place:
            bar = Bar("Import", "rows")

        async def look() -> None:
            now = await visit.api.send(imports.read(it.id))
            bar.show(Step(now.done, now.total))
            if now.state in ("done", "failed"):
                visit.go(paths.one_import(it.id))

        visit.every(LOOK_S, look)
        if visit.may("write"):

            async def cancel() -> None:
                await visit.api.send(imports.cancel(it.id))
                visit.go(paths.IMPORTS)

            with place:
                button("Cancel", cancel, "danger")
        return
    with place:
        if it.state == "failed":
            paragraph(f"It failed: {it.reason}", "fault")
        paragraph(
            f"{formats.number(it.accepted)} of {formats.count(it.total, 'row')} taken, "
            f"{formats.number(it.refused)} refused."
        )
        if it.segment:
            link("The segment", paths.segment(it.segment))
        if it.refused_file:
            link_button("Refused rows as CSV", paths.refused_file(it.id), picture="download")
