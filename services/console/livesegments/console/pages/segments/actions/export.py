"""Exporting members: chosen columns, a form, progress, then the browser's download."""

from __future__ import annotations

from typing import cast, get_args

from livesegments.client import exports
from livesegments.client.exports import Format, Included
from livesegments.client.segments import Segment
from livesegments.console import formats, paths
from livesegments.console.parts.dialog import Dialog, Refuse
from livesegments.console.parts.field import check_field, choice_field, text_field
from livesegments.console.parts.progress import Bar, Step, until_ended
from livesegments.console.parts.tag import Tag
from livesegments.console.visit import Visit

FORMATS = {
    "csv": "CSV, for spreadsheets",
    "ndjson": "NDJSON, a line of JSON for every member",
    "parquet": "Parquet",
}
INCLUDED: dict[Included, str] = {
    "entered_at": "When they entered",
    "valid_until": "Until when at most",
    "tags": "Tags",
    "consent": "Consent",
}
MOST_FIELDS = 100


async def open_dialog(visit: Visit, segment: Segment) -> None:
    dialog = Dialog(visit, f"Export {formats.short(segment.name, 60)}")
    with dialog.body:
        form = choice_field("Form", FORMATS, "csv")
        hint = "Names with commas between, such as email, city, computed:spent"
        fields = text_field("Attributes", hint=hint, longest=4_000)
        with Tag("fieldset", "", "stack tight"):
            Tag("legend", "Also")
            also = {name: check_field(text) for name, text in INCLUDED.items()}

    async def make() -> None:
        names = listed(fields.value)
        if len(names) > MOST_FIELDS:
            raise Refuse(f"At most {MOST_FIELDS} attributes.")
        chosen = cast(Format, form.value if form.value in get_args(Format) else "csv")
        include = [name for name, box in also.items() if box.value]
        made = await visit.api.send(exports.create(segment.id, format=chosen, fields=names, include=include))
        with dialog.body:
            bar = Bar("Exporting", "members")

        async def look() -> Step:
            now = await visit.api.send(exports.read(segment.id, made.id))
            ended = now.state in ("done", "failed")
            return Step(now.progress.done, now.progress.total, ended, now.error or "")

        step = await until_ended(look, bar)
        if step.fault:
            raise Refuse(f"The export failed: {step.fault}")
        visit.client.download(paths.export_file(segment.id, made.id))
        visit.say(f"{formats.count(step.done, 'member')} exported.")

    dialog.offer("Export", make).open()


def listed(text: str) -> list[str]:
    """Names with commas between."""
    return [each.strip() for each in text.split(",") if each.strip()]
