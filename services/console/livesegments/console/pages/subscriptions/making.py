"""The form of a new subscription."""

from __future__ import annotations

from livesegments.console import paths
from livesegments.console.pages.subscriptions import secrets
from livesegments.console.pages.subscriptions.form import EXAMPLE, Form, Wrong
from livesegments.console.pages.subscriptions.shown import TEMPLATES
from livesegments.console.parts.button import button, link_button
from livesegments.console.parts.field import Field, check_field, choice_field, text_field
from livesegments.console.parts.picker import Picker, finds_segments
from livesegments.console.parts.tag import Tag, heading
from livesegments.console.visit import Visit

TARGETS = {**TEMPLATES, "": "No webhook: the receiver pulls"}
WHOLE = "numeric"


async def build(visit: Visit) -> None:
    with Tag("div", "", "page-head"):
        heading("New subscription")
    texts: dict[str, Field[str]] = {}
    with Tag("div", "", "stack form"):
        texts["name"] = text_field("Name", longest=200, hint="As people know it: “VIPs to Slack”.")
        with Tag("section", "", "card stack", aria_label="What it hears"):
            Tag("h2", "What it hears")
            picker = Picker(
                finds_segments(visit),
                "Segments",
                "segment",
                "Without any it hears of all segments, also of those to come.",
            )
            entries = check_field("Who enters", True)
            exits = check_field("Who leaves", True)
            backfill = check_field(
                "Also who enters or leaves because a definition got its history",
                hint="Nothing has happened to these people.",
            )
        with Tag("section", "", "card stack", aria_label="Where it goes"):
            Tag("h2", "Where it goes")

            def turned(value: str) -> None:
                webhook.set(hidden=not value)
                mapping.set(hidden=value != "json")

            texts["template"] = choice_field("Form of the messages", TARGETS, "transitions", changed=turned)
            with Tag("div", "", "stack") as webhook:
                texts["url"] = text_field(
                    "Address", kind="url", longest=2_000, placeholder="https://hooks.example.com/…"
                )
            with Tag("div", "", "stack", hidden=True) as mapping:
                texts["mapping"] = text_field(
                    "Document",
                    EXAMPLE,
                    lines=6,
                    longest=20_000,
                    hint="“$profile” stands for that field.",
                )
        with Tag("details", "", "card"):
            Tag("summary", "When: stays, pauses, batches")
            with Tag("div", "", "stack"):
                texts["dwell"] = text_field(
                    "Shortest stay, in seconds",
                    hint="Whoever leaves sooner is not heard of.",
                    inputmode=WHOLE,
                )
                texts["cool_down"] = text_field(
                    "Shortest time between two entries of a profile, in seconds", inputmode=WHOLE
                )
                texts["batch"] = text_field("Most transitions of a message", "1", inputmode=WHOLE)
                texts["within"] = text_field(
                    "Longest wait for a full message, in seconds", "0", inputmode=WHOLE
                )

        async def make() -> None:
            for each in texts.values():
                each.fault("")
            form = Form(
                segments=list(picker.chosen), entries=entries.value, exits=exits.value,
                backfill=backfill.value,
                **{name: each.value for name, each in texts.items()},
            )  # fmt: skip
            try:
                request = form.request()
            except Wrong as wrong:
                at = texts.get(wrong.name)
                if at is None:
                    visit.say(str(wrong), bad=True)
                else:
                    at.fault(str(wrong))
                return
            made = await visit.api.send(request)
            path = paths.subscription(made.id)
            if made.secret is None:
                visit.go(path)
                return
            says = "The receiver checks with it that messages are ours."
            secrets.show(visit, made.secret, says, lambda: visit.go(path))

        with Tag("div", "", "row"):
            button("Create", make, "primary")
            link_button("Cancel", paths.SUBSCRIPTIONS)
