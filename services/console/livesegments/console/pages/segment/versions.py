"""The definitions that a segment has had: what changed from one to the next, and the way back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

from livesegments.client import versions
from livesegments.client.segments import Segment
from livesegments.client.versions import Difference, Version
from livesegments.console import formats, paths
from livesegments.console.pages.segment.head import begin
from livesegments.console.parts.button import button
from livesegments.console.parts.dialog import Dialog
from livesegments.console.parts.table import Column, table
from livesegments.console.parts.tag import Tag, badge, paragraph
from livesegments.console.visit import Visit
from livesegments.core.sentence.nodes import sentence

KINDS = {"added": "Added", "removed": "Removed", "changed": "Changed"}
LONGEST = 2_000


async def build(visit: Visit) -> None:
    head = await begin(visit, "versions")
    found = (await visit.api.send(versions.read_all(head.segment.id))).versions
    newest = found[0].version if found else 0
    columns = ("Version", "Definition", "Since", "By", Column("What to do", hidden=True))
    with table("Versions", *columns):
        for each in found:
            with Tag("tr"):
                with Tag("th", "", "", scope="row"):
                    Tag("span", formats.number(each.version))
                    if each.version == newest:
                        badge("present", "good")
                Tag("td", said(each), "break")
                Tag("td", formats.moment(each.since, visit.zone))
                Tag("td", formats.short(each.by or "not noted", 60), "break")
                with Tag("td", "", "actions"):
                    _actions(visit, head.segment, each, newest)
    paragraph(f"{formats.count(len(found), 'version')}; at most the newest 100 are kept.", "muted small")


def _actions(visit: Visit, segment: Segment, version: Version, newest: int) -> None:
    number = formats.number(version.version)
    if version.version > 1:
        button(
            "What changed",
            partial(_differ, visit, segment, version),
            "quiet",
            label=f"What changed in version {number}",
        )
    if version.version != newest and visit.may("write") and segment.type == "dynamic":
        button(
            "Go back", partial(_back, visit, segment, version), "quiet", label=f"Go back to version {number}"
        )


async def _differ(visit: Visit, segment: Segment, version: Version) -> None:
    found = await visit.api.send(versions.diff(segment.id, version.version))
    dialog = Dialog(visit, f"What version {formats.number(version.version)} changed")
    with dialog.body:
        show_changes(found.changes)
    dialog.offer_close().open()


async def _back(visit: Visit, segment: Segment, version: Version) -> None:
    found = await visit.api.send(
        versions.diff(segment.id, segment.definition_version, against=version.version)
    )
    dialog = Dialog(visit, f"Go back to version {formats.number(version.version)}?")
    with dialog.body:
        paragraph(
            "Its definition becomes the present one, as a version more. Members come and go as it says."
        )
        paragraph("What is taken back:", "muted")
        show_changes(found.changes)

    async def do() -> None:
        await visit.api.send(versions.roll_back(segment.id, version.version, if_match=segment.version))
        visit.go(paths.segment(segment.id))

    dialog.offer("Go back", do).open()


def show_changes(changes: Sequence[Difference]) -> None:
    """Part by part, before and after."""
    if not changes:
        paragraph("Nothing: both say the same.")
        return
    for each in changes:
        with Tag("div", "", "diff"):
            Tag(
                "span",
                f"{KINDS.get(each.kind, each.kind)}{f' at {each.pointer}' if each.pointer else ''}",
                "muted small break",
            )
            if each.kind != "added":
                Tag("code", text(each.before), "removed")
            if each.kind != "removed":
                Tag("code", text(each.after), "added")


def text(part: Any) -> str:
    return formats.short(json.dumps(part, ensure_ascii=False), LONGEST)


def said(version: Version) -> str:
    return "A list" if version.definition is None else formats.short(sentence(version.definition))
