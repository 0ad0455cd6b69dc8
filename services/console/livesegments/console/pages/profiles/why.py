"""Why a profile is in a segment or not: the tree of the definition with what each condition saw."""

from __future__ import annotations

from livesegments.client import NotFound, explanations, segments
from livesegments.client.explanations import Explanation, Node
from livesegments.client.profiles import Profile
from livesegments.console import formats, paths, segment_names
from livesegments.console.pages.profiles.reasons import Behind, Reason, flips, tree
from livesegments.console.parts.empty import empty
from livesegments.console.parts.field import text_field
from livesegments.console.parts.tag import Tag, badge, icon, link, paragraph
from livesegments.console.visit import Visit

EVENTS = 5
"""The newest events behind a condition."""
FOUND = 8
LOOK_S = 3.0


async def show(visit: Visit, profile: Profile) -> None:
    id_, wanted = profile.profile, visit.query("segment")
    with Tag("section", "", "stack", aria_label="Which segment"):
        with Tag("div", "", "row"):
            for each in profile.segments[:FOUND]:
                _choice(id_, each.id, each.name, each.id == wanted)
        _search(visit, id_)
    if not wanted:
        empty("Which segment?", "Choose one of its segments, or search for another.", "help")
        return
    place = Tag("section", "", "stack", aria_label="Why")
    names = await segment_names.of_workspace(visit.api)
    last: Explanation | None = None

    async def look() -> None:
        nonlocal last
        try:
            found = await visit.api.send(explanations.read(wanted, id_, events=EVENTS))
        except NotFound as error:
            place.clear()
            with place:
                empty("No such segment", str(error), "search_off")
            return
        if last is None or (found.why, found.is_in, found.change) != (last.why, last.is_in, last.change):
            last = found
            unknown = {wanted, *named(found.why)} - names.keys()
            names.update({each: each for each in unknown} | await segment_names.of(visit.api, unknown))
            place.clear()
            with place:
                _answer(visit, found, names.get(wanted, wanted), tree(found, visit.zone, names))

    await look()
    visit.every(LOOK_S, look)


def named(node: Node) -> set[str]:
    """The segments that conditions below name."""
    return set(segment_names.named_in(node.condition)).union(*map(named, node.of))


def _choice(profile: str, segment: str, name: str, chosen: bool) -> None:
    link(
        formats.short(name, 60), paths.profile(profile, tab="why", segment=segment), "button break",
        aria_current="true" if chosen else None,
    )  # fmt: skip


def _search(visit: Visit, profile: str) -> None:
    async def search(text: str) -> None:
        fitting = (await visit.api.send(segments.page(search=text, limit=FOUND))).segments if text else []
        found.clear()
        with found:
            for each in fitting:
                _choice(profile, each.id, each.name, False)
            if text and not fitting:
                paragraph("No segment has that in its name.", "muted")

    text_field("Another segment", kind="search", eager=True, longest=200, changed=search, classes="search")
    found = Tag("div", "", "row", aria_live="polite")


def _answer(visit: Visit, found: Explanation, name: str, rows: list[Reason]) -> None:
    with Tag("div", "", "card"):
        with Tag("div", "", "row"):
            Tag("h2", formats.short(name), "break")
            badge("Is in it" if found.is_in else "Is not in it", "good" if found.is_in else "")
        if found.entered_at is not None:
            paragraph(f"Since {formats.exact(found.entered_at, visit.zone)}.", "muted")
        if not found.judged:
            paragraph(
                "The profile is yet to be evaluated under this version; this is what will follow.", "muted"
            )
        for line in flips(found, visit.zone):
            paragraph(line, "break")
    with Tag("ul", "", "reasons", aria_label="The definition, condition by condition"):
        for row in rows:
            _reason(row)
    with Tag("p"):
        link("The segment", paths.segment(found.segment))


def _reason(row: Reason) -> None:
    with Tag("li", "", f"depth-{min(row.depth, 10)} {'holds' if row.holds else 'fails'}"):
        icon("check_circle" if row.holds else "cancel")
        with Tag("div", "", "grow stack tight"):
            with Tag("div"):
                Tag("span", "True: " if row.holds else "Not true: ", "visually-hidden")
                Tag("span", row.says, "break")
            if row.evidence:
                Tag("span", row.evidence, "muted small break")
            if row.events:
                _events(row.events)


def _events(events: tuple[Behind, ...]) -> None:
    with Tag("details"):
        Tag("summary", formats.count(len(events), "event") + " behind it")
        with Tag("ul", "", "stack tight"):
            for each in events:
                with Tag("li", "", "small"):
                    Tag("span", f"{each.when}: ", "muted")
                    Tag("span", f"{each.name} {each.details}", "break")
