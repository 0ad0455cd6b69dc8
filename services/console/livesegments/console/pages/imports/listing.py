"""Imports that are under way or ended lately, and a file to begin another one with."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from livesegments.client import imports
from livesegments.console import formats, paths
from livesegments.console.parts.empty import empty
from livesegments.console.parts.table import Column, table
from livesegments.console.parts.tag import Tag, badge, heading, link, paragraph
from livesegments.console.visit import Visit

MOST_BYTES = 20 << 20
PART_BYTES = 4 << 20
READ = """async (e) => {
  const file = e.target.files[0];
  if (!file) return;
  const step = 196608;
  for (let at = 0; at < Math.max(file.size, 1) && at <= MOST; at += step) {
    const bytes = new Uint8Array(await file.slice(at, at + step).arrayBuffer());
    let text = "";
    for (const each of bytes) text += String.fromCharCode(each);
    emit({name: file.name, size: file.size, at: at, data: btoa(text)});
  }
}""".replace("MOST", str(MOST_BYTES))
STATES = {"done": "good", "failed": "bad", "running": "warn", "waiting": "warn"}


class Coming:
    """A file as its pieces come from the browser."""

    def __init__(self) -> None:
        self.data = bytearray()

    def take(self, piece: Any) -> str | None:
        """The file's name once it is whole; None: more comes. Raises ValueError for what is no such piece."""
        if not isinstance(piece, dict):
            raise ValueError("it did not come as a file")
        size, at = piece.get("size"), piece.get("at")
        if not isinstance(size, int) or not isinstance(at, int) or size > MOST_BYTES:
            raise ValueError("the console takes files of up to 20 MiB: use `livesegments import` for others")
        if at == 0:
            self.data = bytearray()
        if at != len(self.data):
            raise ValueError("a part of the file is missing: choose it again")
        try:
            self.data += base64.b64decode(str(piece.get("data", "")), validate=True)
        except binascii.Error as error:
            raise ValueError("a part of the file can't be read: choose it again") from error
        if len(self.data) > size:
            raise ValueError("the file has changed: choose it again")
        if not size:
            raise ValueError("the file is empty")
        return (str(piece.get("name", ""))[:200] or "import.csv") if len(self.data) == size else None


async def build(visit: Visit) -> None:
    with Tag("div", "", "page-head"):
        heading("Imports")
    if visit.may("write"):
        _choosing(visit)
    found = (await visit.api.send(imports.read_all())).imports
    if not found:
        empty(
            "No import of the last day", "Choose a CSV file: its first line names the columns.", "upload_file"
        )
        return
    numbers = (Column("Taken", number=True), Column("Refused", number=True))
    with table("Imports", "File", "State", "Begun", *numbers):
        for each in found:
            with Tag("tr"):
                with Tag("th", "", "break", scope="row"):
                    link(formats.short(each.file_name), paths.one_import(each.id))
                with Tag("td"):
                    badge(each.state, STATES.get(each.state, ""))
                Tag("td", formats.exact(each.created_at, visit.zone))
                Tag("td", formats.number(each.accepted), "number")
                Tag("td", formats.number(each.refused), "number")


def _choosing(visit: Visit) -> None:
    coming = Coming()
    with Tag("div", "", "field"), Tag("label"):
        Tag("span", "A CSV file of up to 20 MiB")
        control = Tag("input", type="file", accept=".csv,.txt,.tsv,text/csv")
    says = paragraph("", "muted")
    says.set(role="status")

    async def came(event: Any) -> None:
        try:
            name = coming.take(event.args)
        except ValueError as error:
            visit.say(f"{error}.", bad=True)
            return
        if name is None:
            says.text = f"{formats.number(len(coming.data) // 1024)} KiB have come"
            return
        says.text = "The file is looked at"
        made = await visit.api.send(imports.create(file_name=name))
        data = bytes(coming.data)
        for at in range(0, len(data), PART_BYTES):
            await visit.api.send(imports.send(made.id, data[at : at + PART_BYTES], offset=at))
        visit.go(paths.one_import(made.id))

    control.on("change", came, js_handler=READ)
