"""Creating a campaign's audience from a segment: without others, by consent. It is counted as it is put
together, then frozen, so that a sender pages through just those.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from livesegments.client import audiences, frozen
from livesegments.client.segments import Segment
from livesegments.console import formats
from livesegments.console.parts.dialog import Dialog, Refuse
from livesegments.console.parts.field import choice_field, text_field
from livesegments.console.parts.picker import Picker, finds_segments
from livesegments.console.parts.progress import Bar, Step, until_ended
from livesegments.console.parts.tag import Tag, paragraph
from livesegments.console.visit import Visit

LIVES = {"3600": "an hour", "21600": "six hours", "86400": "a day"}
CHANNELS = ("email", "sms", "push", "whatsapp", "phone", "post")
READY = "{}, until {}. A sender pages through it with this token, by the API or by the command below:"
SIZES = {"test": "A size for a test.", "standard": "A standard send.", "large": "A large send."}


async def open_dialog(visit: Visit, segment: Segment) -> None:
    """What it reaches is counted anew with every change."""
    dialog = Dialog(visit, f"An audience of {formats.short(segment.name, 60)}")
    asked_for = 0

    def wanted() -> dict[str, Any]:
        return asked(segment.id, without.chosen, channel.value, topic.value)

    async def count(_: str = "") -> None:
        nonlocal asked_for
        asked_for = number = asked_for + 1
        counted = await visit.api.send(audiences.count(wanted()))
        if number == asked_for:
            reach.text = reaches(counted)

    with dialog.body:
        hint = "Whoever is in one of them is left out. Search by name."
        without = Picker(finds_segments(visit), "Without the segments", "segment", hint, count)
        offered = Tag("datalist")
        offered.set(id=f"channels-{offered.id}")
        with offered:
            for each in CHANNELS:
                Tag("option", value=each)
        channel = text_field(
            "Who may be reached by", hint="A channel; empty: whatever they consented to", longest=64,
            list=f"channels-{offered.id}", autocomplete="off", changed=count,
        )  # fmt: skip
        topic = text_field(
            "About the topic", hint="With a channel; empty: about anything", longest=100, changed=count
        )
        lives = choice_field("Keep it for", LIVES, "3600")
        reach = paragraph("", "muted")
        reach.set(role="status")

    async def freeze() -> None:
        lifetime_s = int(lives.value) if lives.value in LIVES else 3_600
        made = await visit.api.send(frozen.freeze(wanted(), lifetime_s=lifetime_s))
        with dialog.body:
            bar = Bar("Freezing the audience", "profiles")

        async def look() -> Step:
            now = await visit.api.send(frozen.read(made.token))
            fault = (now.reason or "it failed") if now.state == "failed" else ""
            return Step(now.count, now.count, now.state != "freezing", fault)

        step = await until_ended(look, bar)
        if step.fault:
            raise Refuse(f"The audience could not be frozen: {step.fault}")
        _ready(visit, made, step.done)

    dialog.offer("Freeze", freeze).open()
    await count()


def _ready(visit: Visit, made: frozen.Frozen, many: int) -> None:
    done = Dialog(visit, "The audience is ready")
    with done.body:
        until = formats.moment(made.expires_at, visit.zone)
        paragraph(READY.format(formats.count(many, "profile"), until))
        Tag("code", made.token, "definition")
        Tag("code", f"livesegments audience members --token {made.token}", "definition")
    done.offer_close().open()


def asked(segment: str, without: Iterable[str], channel: str, topic: str) -> dict[str, Any]:
    """The audience as the API has it; pure. `without`: ids of segments."""
    audience: dict[str, Any] = {"include": [segment]}
    if excluded := list(without):
        audience["exclude"] = excluded
    if channel := channel.strip():
        about = {"topic": topic.strip()} if topic.strip() else {}
        audience["consent"] = {"channel": channel, **about}
    return audience


def reaches(counted: audiences.AudienceCount) -> str:
    """In some sentences: what is still built counts as far as it is."""
    many = formats.count(counted.count, "profile")
    said = f"It reaches {many}. {advised(counted.advice)}" if counted.count else "It reaches nobody."
    return " ".join([said, *(f"{each.message.capitalize()}." for each in counted.warnings)])


def advised(advice: audiences.Advice) -> str:
    if advice.parts > 1:
        return f"That is more than one send should have: split it into {advice.parts} parts."
    return SIZES.get(advice.size, "")
