"""Beside the definition: how many would be in it, who enters and leaves, some of them, and what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from livesegments.client import Unavailable, Unreachable
from livesegments.client.planning import Cost, Plan, Preview, Sample
from livesegments.console import paths
from livesegments.console.builder.live import Seen
from livesegments.console.builder.notes import Note
from livesegments.console.builder.values import shown
from livesegments.console.formats import count, number, short
from livesegments.console.parts.tag import Tag, icon, link

EMPTY = "Add a condition, and the number of profiles appears here."
MOST_DEPENDENTS = 8


class PreviewView:
    def __init__(self) -> None:
        with Tag("section", "", "card preview", aria_label="Preview"):
            with Tag("div", "", "spread"):
                Tag("h2", "Who is in it")
                self._busy = Tag("span", "", "busy small muted", role="status")
            self._size = Tag("div", "", "size", aria_live="polite")
            self._plan = Tag("div", "", "planned")
            self._rest = Tag("div", "", "stack")
        with self._size:
            Tag("p", EMPTY, "muted")

    def nothing(self) -> None:
        """The definition has no condition."""
        self._busy.text = ""
        self._clear()
        with self._size:
            Tag("p", EMPTY, "muted")

    def show(self, seen: Seen, notes: Sequence[Note]) -> None:
        """What was shown stays until something newer is known, so that nothing jumps."""
        self._busy.text = "counting…" if seen.asking else ""
        self._busy.set(data_asking=str(seen.asking).lower())
        if seen.error is not None:
            self._clear()
            with self._size:
                self._refused(seen, notes)
            return
        if seen.preview is None:
            return
        self._clear()
        with self._size:
            _size(seen.preview)
        if seen.plan is not None:
            with self._plan:
                _planned(seen.plan)
        with self._rest:
            _rest(seen.preview, notes)

    def _clear(self) -> None:
        for each in (self._size, self._plan, self._rest):
            each.clear()

    def _refused(self, seen: Seen, notes: Sequence[Note]) -> None:
        if isinstance(seen.error, Unreachable | Unavailable):
            Tag("p", "The api does not answer. It is asked again by itself.", "muted")
            return
        bad = [note for note in notes if note.bad]
        if bad:
            Tag("p", f"{count(len(bad), 'thing')} to fill in or to correct, at the conditions.", "muted")
        else:
            Tag("p", short(str(seen.error)), "fault")


def _size(found: Preview) -> None:
    about = "about " * bool(found.margin)
    with Tag("p", "", "big"):
        Tag(
            "strong",
            f"{about}{number(found.count)}",
            data_count=found.count,
            data_exact=not found.margin or None,
        )
        Tag("span", f" of {count(found.profiles, 'profile')}", "muted")
    said = f"{number(found.count)} of {count(found.profiles, 'profile')}"
    Tag("progress", max=max(found.profiles, 1), value=found.count, aria_label=said)
    if found.margin:
        Tag("p", f"± {number(found.margin)}; the exact number follows", "muted small")


def _planned(found: Plan) -> None:
    with Tag("div", "", "flows"):
        _flow("would enter", "login", found.entering, found.sample_entering, "good")
        _flow("would leave", "logout", found.leaving, found.sample_leaving, "bad")
    if found.dependents:
        with Tag("p", "Segments that refer to it may change too: ", "small"):
            _links((id_, paths.segment(id_)) for id_ in found.dependents[:MOST_DEPENDENTS])
            if len(found.dependents) > MOST_DEPENDENTS:
                Tag("span", f" and {len(found.dependents) - MOST_DEPENDENTS:,} more")
    if found.subscriptions:
        with Tag("p", "Subscriptions that hear of it: ", "small"):
            _links((id_, paths.subscription(id_)) for id_ in found.subscriptions[:MOST_DEPENDENTS])
            if len(found.subscriptions) > MOST_DEPENDENTS:
                Tag("span", f" and {len(found.subscriptions) - MOST_DEPENDENTS:,} more")


def _flow(text: str, picture: str, many: int, sample: Sequence[Sample], kind: str) -> None:
    with Tag("div", "", f"flow {kind}"):
        with Tag("p"):
            icon(picture)
            Tag("strong", number(many))
            Tag("span", f" {text}")
        if sample:
            with Tag("p", "", "small break"):
                _links((each.profile, paths.profile(each.profile)) for each in sample)
                if many > len(sample):
                    Tag("span", f" and {number(many - len(sample))} more", "muted")


def _links(them: Iterable[tuple[str, str]]) -> None:
    for index, (text, path) in enumerate(them):
        if index:
            Tag("span", ", ")
        link(short(text, 60), path, "break", target="_blank", rel="noopener")


def _rest(found: Preview, notes: Sequence[Note]) -> None:
    for note in notes:
        if not note.bad and not note.node and not note.field:
            with Tag("p", "", "note warn"):
                icon("info")
                Tag("span", note.words, "break")
    for each in found.lacking:
        verdict = "left out" if each.excluded else "in it all the same"
        with Tag("p", "", "small muted break"):
            Tag("span", f"{count(each.count, 'profile')} without {short(each.attribute, 60)}: {verdict}")
    if found.sample:
        with Tag("div"):
            Tag("h3", "For example")
            with Tag("ul", "", "samples"):
                for profile in found.sample:
                    _sample(profile)
    if found.cost is not None:
        Tag("p", _costs(found.cost), "small muted")


def _sample(each: Sample) -> None:
    values = [shown_value(seen.value) for seen in each.conditions if seen.holds and seen.value is not None]
    with Tag("li", "", "small break"):
        link(short(each.profile, 60), paths.profile(each.profile), target="_blank", rel="noopener")
        if values:
            Tag("span", f" · {short(', '.join(values), 90)}", "muted")


def shown_value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(shown_value(each) for each in value[:5])
    if isinstance(value, dict):
        return ", ".join(f"{name} {shown_value(each)}" for name, each in list(value.items())[:5])
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value)
    return shown(value)


def _costs(cost: Cost) -> str:
    if not cost.new_facts:
        return "It costs nothing more: all that it looks at is kept already."
    facts = count(cost.new_facts, "new fact")
    if cost.bytes_a_profile is None:
        return f"It keeps {facts} of every profile."
    return f"It keeps {facts}, about {number(cost.bytes_a_profile)} bytes a profile."
