"""Attributes with their types, the events that were seen, and computed attributes."""

from __future__ import annotations

from functools import partial

from livesegments.client import computed, fields, names
from livesegments.console import formats
from livesegments.console.pages.fields import computing, declaring, rows
from livesegments.console.parts.button import button
from livesegments.console.parts.empty import empty
from livesegments.console.parts.table import Column, table
from livesegments.console.parts.tag import Tag, badge, heading, paragraph
from livesegments.console.visit import Visit

MOST = 1_000
"""Rows of a table; a workspace has at most 500 names of events, unless it was given more."""


async def build(visit: Visit) -> None:
    seen = await visit.api.send(names.read())
    declared = (await visit.api.send(fields.read_all())).fields
    measures = (await visit.api.send(computed.read_all())).computed_attributes
    write = visit.may("write")
    with Tag("div", "", "page-head"):
        heading("Fields")
        if write:
            with Tag("div", "", "row"):
                button("Declare an attribute", partial(declaring.ask, visit, "", None), picture="add")
                button(
                    "Compute an attribute", partial(computing.ask, visit, seen.events), picture="functions"
                )
    known = rows.attributes(seen.attributes, declared, visit.zone)
    happened = rows.events(seen.events, visit.zone)
    if not (known or happened or measures):
        empty(
            "Nothing was seen yet",
            "Attributes and events stand here as soon as the first come: send some with `livesegments send`.",
            "schema",
        )
        return
    with Tag("div", "", "stack wide-gaps"):
        _attributes(visit, known[:MOST], write)
        _computed(visit, rows.computed(measures, visit.zone), write)
        _events(happened[:MOST])
    if not seen.attributes_complete:
        paragraph("More attributes were seen than are kept here.", "muted")


def _attributes(visit: Visit, known: list[rows.Attribute], write: bool) -> None:
    with Tag("section", "", "stack tight"):
        Tag("h2", "Attributes")
        if not known:
            paragraph("No attribute has come yet.", "muted")
            return
        last = [Column("What to do", hidden=True)] if write else []
        columns = ("Name", "Declared as", "Types that came", "Values that came", "Last seen")
        with table("Attributes", *columns, *last):
            for row in known:
                with Tag("tr"):
                    with Tag("th", "", "break", scope="row"):
                        Tag("span", formats.short(row.name))
                        if row.declared is not None and row.declared.label:
                            paragraph(formats.short(row.declared.label), "muted small")
                    with Tag("td", "", "break"):
                        if row.declared is None:
                            Tag("span", "–", "muted")
                        else:
                            badge(rows.declaration(row.declared), "good")
                            if row.declared.unfit_segments:
                                unfit = len(row.declared.unfit_segments)
                                badge(
                                    formats.count(unfit, "segment does not fit", "segments do not fit"),
                                    "warn",
                                )
                    Tag("td", row.types)
                    Tag("td", row.values, "break muted")
                    Tag("td", row.seen)
                    if write:
                        with Tag("td", "", "actions"):
                            button(
                                "Declare" if row.declared is None else "Change",
                                partial(declaring.ask, visit, row.name, row.declared),
                                "quiet",
                                label=f"Declare {formats.short(row.name, 60)}",
                            )


def _computed(visit: Visit, known: list[rows.Measured], write: bool) -> None:
    with Tag("section", "", "stack tight"):
        Tag("h2", "Computed attributes")
        if not known:
            paragraph("None yet. One is a measure of events that is kept live for every profile.", "muted")
            return
        last = [Column("What to do", hidden=True)] if write else []
        with table("Computed attributes", "Id", "What it is", "Gives", "State", "Used by", *last):
            for row in known:
                with Tag("tr"):
                    Tag("th", row.id, "mono break", scope="row")
                    Tag("td", row.what, "break")
                    Tag("td", row.gives)
                    with Tag("td"):
                        badge(row.state, row.kind)
                    Tag("td", row.used)
                    if write:
                        with Tag("td", "", "actions"):
                            button(
                                "Delete",
                                partial(computing.delete, visit, row.id),
                                "quiet",
                                label=f"Delete {row.id}",
                            )


def _events(known: list[rows.Happening]) -> None:
    with Tag("section", "", "stack tight"):
        Tag("h2", "Events")
        if not known:
            paragraph("No event has come yet.", "muted")
            return
        with table("Events", "Name", "Properties that came", "Last seen"):
            for row in known:
                with Tag("tr"):
                    Tag("th", row.name, "break", scope="row")
                    Tag("td", row.properties, "break muted")
                    Tag("td", row.seen)
