"""The form of a list that follows something: a new one, and one that is there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from livesegments.client import NotFound, segments, sources
from livesegments.client.segments import Segment
from livesegments.console import formats, paths
from livesegments.console.pages.sources import form, shown
from livesegments.console.pages.sources.form import Form, Wrong
from livesegments.console.parts.button import button, link_button
from livesegments.console.parts.field import Field, choice_field, text_field
from livesegments.console.parts.tag import Tag, heading, link
from livesegments.console.visit import Visit

LISTS = 1_000
Finds = Callable[[], Awaitable[str]]
"""The id of the list; empty where what names it is not filled in."""
KINDS = {"postgresql": "PostgreSQL", "mysql": "MySQL", "sqlite": "SQLite", "file": "a file"}
NONE = """There is no connection yet: whoever runs livesegments names one, with its password, in the file of
LIVESEGMENTS_SOURCES."""
SECRET = (
    "Passwords are never given here: the deployment keeps them, and this names the connection that has them."
)


async def new(visit: Visit) -> None:
    lists = (await visit.api.send(segments.page(type="static", limit=LISTS))).segments
    followed = {each.segment for each in (await visit.api.send(sources.every())).sources}
    free = {
        each.id: formats.short(each.name, 80)
        for each in lists
        if each.id not in followed and not each.archived_at
    }
    with Tag("div", "", "page-head"):
        heading("New external list")
    with Tag("div", "", "stack form"):

        def turned(chosen: str) -> None:
            name.box.set(hidden=bool(chosen))

        chosen = choice_field("List", {"": "A new list", **free}, visit.query("list"), changed=turned)
        name = text_field("Name", longest=200, placeholder="VIPs of the shop")
        turned(chosen.value)

        made = ""

        async def segment() -> str:
            """A list that was made stays the one, where what it is to follow is refused."""
            nonlocal made
            if chosen.value or made:
                return chosen.value or made
            name.fault("" if name.value.strip() else "Give the new list a name.")
            if not name.value.strip():
                return ""
            made = (await visit.api.send(segments.create(name.value.strip(), type="static"))).id
            return made

        await _form(visit, Form(), segment, paths.SOURCES)


async def edit(visit: Visit) -> None:
    it = await visit.api.send(segments.read(visit.part("segment")))
    try:
        known = form.of(await visit.api.send(sources.read(it.id)))
    except NotFound:
        known = Form()

    async def segment() -> str:
        return it.id

    _head(it)
    with Tag("div", "", "stack form"):
        await _form(visit, known, segment, paths.source(it.id))


def _head(it: Segment) -> None:
    with Tag("div", "", "page-head"), Tag("div", "", "stack tight"):
        heading(f"What {formats.short(it.name, 120)} follows", classes="break")
        link("The list, with its members", paths.segment(it.id))


async def _form(visit: Visit, known: Form, segment: Finds, back: str) -> None:
    connections = (await visit.api.send(sources.connections())).connections
    texts: dict[str, Field[str]] = {}
    with Tag("section", "", "card stack", aria_label="Where it is read from"):
        heading("Where it is read from", 2)
        turned = partial(_turned, texts)
        texts["origin"] = choice_field("From", form.FROM, known.origin, changed=turned)
        offered = {
            each.name: f"{formats.short(each.name, 80)} ({KINDS.get(each.kind, each.kind)})"
            for each in connections
        }
        if known.connection and known.connection not in offered:
            offered[known.connection] = f"{formats.short(known.connection, 80)} (it is not there any more)"
        hint = SECRET if offered else NONE
        texts["connection"] = choice_field(
            "Connection", {"": "Choose a connection", **offered}, known.connection, changed=turned, hint=hint
        )
        texts["what"] = choice_field("What of it", form.WHAT, known.what, changed=turned)
        texts["table"] = text_field(
            "Table", known.table, longest=256, hint="“schema.name”, or a name.", spellcheck="false"
        )
        hint = "One SELECT, without “;”. It is run in a transaction that can only read."
        texts["query"] = text_field(
            "Query", known.query, lines=4, longest=8_000, hint=hint, spellcheck="false"
        )
        texts["url"] = text_field(
            "Address", known.url, kind="url", longest=2_000, placeholder="https://files.example.com/vips.csv"
        )
        texts["path"] = text_field("Path in the folder", known.path, longest=1_000, placeholder="vips.csv")
        texts["format"] = choice_field("Form of the file", form.FORMS, known.format)
        hint = "Where the ids of profiles are. Of a file or a query it may be empty: then the first column."
        texts["column"] = text_field("Column", known.column, longest=256, hint=hint, spellcheck="false")
    with Tag("section", "", "card stack", aria_label="When it is read"):
        heading("When it is read", 2)
        every = (
            form.EVERY
            if known.every in form.EVERY
            else {**form.EVERY, known.every: shown.every(int(known.every))}
        )
        texts["every"] = choice_field("Read it", every, known.every)
        hint = "In percent of the members. Such a run changes nothing until somebody lets them go."
        texts["most_gone"] = text_field(
            "Hold a run that takes off more than", known.most_gone, hint=hint, inputmode="decimal"
        )
    turned()

    async def save() -> None:
        for each in texts.values():
            each.fault("")
        filled = Form(**{name: each.value for name, each in texts.items()})
        try:
            filled.request("x")
            id_ = await segment()
            if id_:
                await visit.api.send(filled.request(id_))
                visit.go(paths.source(id_))
        except Wrong as wrong:
            texts[wrong.name].fault(str(wrong))

    with Tag("div", "", "row"):
        button("Save", save, "primary")
        link_button("Cancel", back)


def _turned(texts: dict[str, Field[str]], _: str = "") -> None:
    """Shows the fields of what is chosen."""
    origin, what = texts["origin"].value, texts["what"].value
    is_database = origin == "connection" and bool(what)
    shows = {
        "connection": origin == "connection", "what": origin == "connection",
        "table": is_database and what == "table", "query": is_database and what == "query",
        "url": origin == "url", "path": origin == "path", "format": not is_database,
    }  # fmt: skip
    for name, is_shown in shows.items():
        texts[name].box.set(hidden=not is_shown)
