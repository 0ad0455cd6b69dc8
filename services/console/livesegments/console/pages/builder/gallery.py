"""Ready-made segments: choose one, say what its events are called here, and go on in the builder."""

from __future__ import annotations

from typing import Any

from livesegments.client import templates
from livesegments.client.templates import Parameter, Template
from livesegments.console import paths
from livesegments.console.builder import loading
from livesegments.console.builder.drafts import Draft
from livesegments.console.builder.filling import filled
from livesegments.console.builder.later import plain
from livesegments.console.builder.seen import Seen
from livesegments.console.builder.values import UNITS, duration, number, shown, spelled
from livesegments.console.builder.view import inputs
from livesegments.console.pages.builder.editing import begun
from livesegments.console.parts.button import button, link_button
from livesegments.console.parts.tag import Tag, heading, icon, paragraph
from livesegments.console.visit import Visit
from livesegments.core.sentence.nodes import sentence


async def build(visit: Visit) -> None:
    known = await visit.api.send(templates.read_all())
    seen = await loading.seen(visit.api)
    with Tag("div", "", "page-head"):
        with Tag("div", "", "stack tight"):
            heading("Gallery")
            paragraph("Segments that many need. Take one, and change whatever you like in it.", "muted")
        link_button("Start from nothing", paths.NEW_SEGMENT, picture="add")
    with Tag("div", "", "templates forms"):
        _by_attribute()
        for each in known.templates:
            _Card(visit, each, seen)


def _by_attribute() -> None:
    with Tag("article", "", "card template"):
        with Tag("h2", "", "row"):
            icon("dynamic_feed")
            Tag("span", "One for every value")
        paragraph("A segment for every city, plan or country, made at once.", "muted")
        link_button("Choose an attribute", paths.BY_ATTRIBUTE, picture="arrow_forward")


class _Card:
    """A template: what it says with these parameters, and the parameters."""

    def __init__(self, visit: Visit, template: Template, seen: Seen) -> None:
        self._visit, self._template, self._seen = visit, template, seen
        self._values: dict[str, Any] = {each.name: plain(each.default) for each in template.parameters}
        with Tag("article", "", "card template"):
            Tag("h2", template.name)
            paragraph(template.description, "muted")
            self._said = paragraph("", "said-by break")
            with inputs.more("What it is called here"), Tag("div", "", "stack"):
                for each in template.parameters:
                    self._parameter(each)
            button("Take it", self._take, picture="arrow_forward", label=f"Take {template.name}")
        self._say()

    def _say(self) -> None:
        self._said.text = sentence(filled(self._template.definition, self._values))

    def _put(self, name: str, value: Any) -> None:
        self._values[name] = value
        self._say()

    def _parameter(self, each: Parameter) -> None:
        text = each.description.rstrip(".")
        if each.kind == "duration":
            self._duration(each, text)
        elif each.kind == "number":
            inputs.line(
                text,
                shown(plain(each.default)),
                lambda to: self._put(each.name, number(to)),
                inputmode="decimal",
            )
        else:
            offers = [*self._seen.events, *self._seen.attributes]
            inputs.line(text, shown(plain(each.default)), lambda to: self._put(each.name, to), offers)

    def _duration(self, each: Parameter, text: str) -> None:
        count, unit = duration(each.default)
        now = {"count": count, "unit": unit}

        def change(**to: str) -> None:
            now.update(to)
            self._put(each.name, spelled(now["count"], now["unit"]))

        with Tag("div", "", "value"):
            inputs.line(text, count, lambda to: change(count=to), inputmode="numeric")
            inputs.select("Unit", unit, UNITS, lambda to: change(unit=to), classes="kind")

    def _take(self) -> None:
        draft = Draft(self._visit.workspace.id)
        draft.history = draft.history.edited(filled(self._template.definition, self._values))
        draft.name, draft.description = self._template.name, self._template.description
        self._visit.go(begun(self._visit, draft))
