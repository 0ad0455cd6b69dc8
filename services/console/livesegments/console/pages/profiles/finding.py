"""Finds a profile: by its id, or by the value of an attribute, such as an e-mail address. Also shows how far
an erasure is."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from livesegments.client import Forbidden, NotFound, erasures, names, planning, profiles
from livesegments.console import formats, paths
from livesegments.console.pages.profiles.erasing import state
from livesegments.console.parts.button import button
from livesegments.console.parts.empty import empty
from livesegments.console.parts.field import choice_field, text_field
from livesegments.console.parts.table import table
from livesegments.console.parts.tag import Tag, heading, link, paragraph
from livesegments.console.visit import Visit

LONGEST = 256
MOST_FOUND = 20
BY_ID = "id"
LOOK_S = 2.0
USUAL = ("email", "phone", "name")
"""Attributes that people search by come first."""


def wanted(attribute: str, text: str, types: Mapping[str, list[str]]) -> list[Any]:
    """The values that a text may mean: `42` is also a number where the attribute has numbers."""
    found: list[Any] = [text]
    if "number" in types.get(attribute, ()):
        with suppress(ValueError):
            found.insert(0, float(text) if set(text) & set(".eE") else int(text))
    return found


def choices(types: Mapping[str, list[str]]) -> dict[str, str]:
    """What can be searched by: the id, then the attributes that identify people, then all others."""
    fit = [name for name, of in types.items() if set(of) & {"string", "text", "number"}]
    ordered = [name for name in USUAL if name in fit] + sorted(name for name in fit if name not in USUAL)
    return {BY_ID: "Id"} | {f"attribute:{name}": formats.short(name, 60) for name in ordered[:200]}


async def build(visit: Visit) -> None:
    with Tag("div", "", "page-head"):
        heading("Profiles")
    if visit.query("erasure"):
        await _erasure(visit, visit.query("erasure"))
    seen = await visit.api.send(names.read())
    types = {each.name: each.types for each in seen.attributes}
    options = choices(types)
    by = visit.query("by", BY_ID) if visit.query("by", BY_ID) in options else BY_ID
    with Tag("form", "", "find", role="search", method="get", action=paths.PROFILES):
        sought = text_field(
            "Profile", visit.query("text"), kind="search", longest=LONGEST, classes="search",
            placeholder="An id, or a value", required=True,
        )  # fmt: skip
        sought.control.set(name="text")
        choice_field("By", options, by).control.set(name="by")
        with Tag("button", "", "button primary", type="submit"):
            Tag("span", "Find")
    text = visit.query("text")[:LONGEST]
    if not text:
        empty(
            "Who is it?", "Give the id of a profile as it was sent, or choose an attribute and give a value.",
            "person_search",
        )  # fmt: skip
    elif by == BY_ID:
        await _by_id(visit, text)
    else:
        await _by_value(visit, by.removeprefix("attribute:"), text, types)


async def _by_id(visit: Visit, text: str) -> None:
    found = await visit.api.send(profiles.read_all([text]))
    if found.unknown:
        _nobody(f"No profile has the id “{formats.short(text, 80)}”. Ids are exact: capitals count.")
    else:
        _listed([text], "")


async def _by_value(visit: Visit, attribute: str, text: str, types: Mapping[str, list[str]]) -> None:
    nodes = [{"type": "attribute", "name": attribute, "op": "eq", "value": each}
             for each in wanted(attribute, text, types)]  # fmt: skip
    definition = nodes[0] if len(nodes) == 1 else {"type": "any", "of": nodes}
    found = await visit.api.send(planning.preview(definition, sample=MOST_FOUND))
    if not found.sample:
        _nobody(f"No profile has “{formats.short(text, 80)}” as its {formats.short(attribute, 80)}.")
        return
    more = (
        "" if found.count <= MOST_FOUND else f"{formats.count(found.count, 'profile')}; {MOST_FOUND} of them:"
    )
    _listed([each.profile for each in found.sample], more)


def _listed(ids: list[str], says: str) -> None:
    if says:
        paragraph(says, "muted")
    with table("Profiles that fit", "Id"):
        for each in ids:
            with Tag("tr"), Tag("th", "", "break", scope="row"):
                link(formats.short(each), paths.profile(each))


def _nobody(says: str) -> None:
    empty("Nobody found", says, "person_off")


async def _erasure(visit: Visit, id_: str) -> None:
    """How far an erasure is, which names nobody."""
    try:
        found = await visit.api.send(erasures.read(id_))
    except (NotFound, ValueError):
        return
    with Tag("section", "", "card", aria_label="Erasure"):
        Tag("h2", "Erasure")
        says = paragraph(state(found, visit.zone), "break")
        says.set(role="status")

        async def lift() -> None:
            try:
                await visit.api.send(erasures.lift(id_))
            except Forbidden as error:
                visit.say(str(error), bad=True)
            else:
                visit.go(paths.with_query(paths.PROFILES, erasure=id_))

        if found.suppressed and visit.may("write"):
            button("Let the person in again", lift)

    async def look() -> None:
        text = state(await visit.api.send(erasures.read(id_)), visit.zone)
        if says.text != text:
            says.text = text

    visit.every(LOOK_S, look)
