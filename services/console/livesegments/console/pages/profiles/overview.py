"""What is known of a profile now; it is brought up to date while one looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from livesegments.client import fields, profiles
from livesegments.client.profiles import Profile
from livesegments.console import formats, paths
from livesegments.console.pages.profiles import shown
from livesegments.console.pages.profiles.shown import Row
from livesegments.console.parts.table import table
from livesegments.console.parts.tag import Tag, badge, link, paragraph
from livesegments.console.visit import Visit

LOOK_S = 2.0


async def show(visit: Visit, found: Profile) -> None:
    declared = (await visit.api.send(fields.read_all())).fields
    labels = {each.name: each.label for each in declared if each.label}
    place = Tag("div", "", "stack")
    last = found

    def draw(profile: Profile) -> None:
        place.clear()
        with place:
            _figures(profile)
            _segments(visit, profile)
            with Tag("div", "", "cards"):
                _card(
                    "Attributes", shown.attributes(profile.attributes, labels), "No attribute has come yet."
                )
                _card(
                    "Computed attributes", shown.computed(profile.computed, visit.zone), "There are none yet."
                )
                _consent(profile)
                _labels("Tags", profile.tags, "It has no tags.")
                _labels("Groups", profile.groups, "It is in no group.")

    async def look() -> None:
        nonlocal last
        now = await visit.api.send(profiles.read(found.profile))
        if now != last:
            last = now
            draw(now)

    draw(found)
    visit.every(LOOK_S, look)


def _figures(profile: Profile) -> None:
    figures: Mapping[str, str] = {
        "Segments": formats.number(len(profile.segments)),
        "Attributes": formats.number(len(profile.attributes)),
        "Score": shown.value(profile.score),
    }
    with Tag("dl", "", "figures"):
        for name, value in figures.items():
            with Tag("div", "", "figure"):
                Tag("dt", name)
                Tag("dd", value)


def _segments(visit: Visit, profile: Profile) -> None:
    with Tag("section", "", "stack tight"):
        Tag("h2", "Segments")
        rows = shown.stays(profile.segments, visit.zone)
        if not rows:
            with Tag("p", "", "muted"):
                Tag("span", "It is in no segment. ")
                link("Why isn't it in one?", paths.profile(profile.profile, tab="why"))
            return
        with table("Segments of the profile", "Segment", "Entered", "Valid until", "Why"):
            for row in rows:
                with Tag("tr"):
                    with Tag("th", "", "break", scope="row"):
                        link(row.name, paths.segment(row.id))
                    Tag("td", row.entered)
                    Tag("td", row.until or "for as long as nothing changes", "" if row.until else "muted")
                    with Tag("td"):
                        link("Why", paths.profile(profile.profile, tab="why", segment=row.id),
                             aria_label=f"Why it is in {row.name}")  # fmt: skip


def _card(title: str, rows: Sequence[Row], nothing: str) -> None:
    with Tag("section", "", "card", aria_label=title):
        Tag("h2", title)
        if not rows:
            paragraph(nothing, "muted")
            return
        with Tag("dl", "", "pairs"):
            for row in rows:
                with Tag("div"):
                    Tag("dt", row.name, "break")
                    with Tag("dd", "", "break"):
                        Tag("span", row.value)
                        if row.note:
                            Tag("span", row.note, "note")


def _consent(profile: Profile) -> None:
    with Tag("section", "", "card", aria_label="Consent"):
        Tag("h2", "Consent")
        rows = shown.consent(profile.consent)
        if not rows:
            paragraph("It has said neither yes nor no to anything.", "muted")
        with Tag("dl", "", "pairs"):
            for row in rows:
                with Tag("div"):
                    Tag("dt", row.name, "break")
                    with Tag("dd"):
                        badge(row.value, row.kind)


def _labels(title: str, names: Sequence[str], nothing: str) -> None:
    with Tag("section", "", "card", aria_label=title):
        Tag("h2", title)
        if not names:
            paragraph(nothing, "muted")
            return
        with Tag("div", "", "row"):
            for name in names:
                Tag("span", formats.short(name), "badge label", title=formats.short(name))
