"""Creating a campaign's audience from a segment: without others, by consent. It is counted as it is put
together, then frozen, so that a sender pages through just those.
"""

from __future__ import annotations

from typing import Any

from livesegments.client import audiences, frozen
from livesegments.client.segments import Segment
from livesegments.console import formats
from livesegments.console.pages.segments.actions.export import listed
from livesegments.console.parts.button import button
from livesegments.console.parts.dialog import Dialog, Refuse
from livesegments.console.parts.field import choice_field, text_field
from livesegments.console.parts.progress import Bar, Step, until_ended
from livesegments.console.parts.tag import Tag, paragraph
from livesegments.console.visit import Visit

LIVES = {"3600": "an hour", "21600": "six hours", "86400": "a day"}
CHANNELS = {"": "Whatever they consented to", "email": "E-mail", "sms": "SMS", "push": "Push"}
READY = """{}, until {}. A sender pages through it with this token, by the API or
`livesegments audience members --token`:"""
SIZES = {"test": "A size for a test.", "standard": "A standard send.", "large": "A large send."}


async def open_dialog(visit: Visit, segment: Segment) -> None:
    dialog = Dialog(visit, f"An audience of {formats.short(segment.name, 60)}")
    with dialog.body:
        without = text_field("Without the segments", hint="Ids with commas between", longest=2_000)
        channel = choice_field("Who may be reached by", CHANNELS)
        topic = text_field("About the topic", hint="With a channel; empty: about anything", longest=100)
        lives = choice_field("Keep it for", LIVES, "3600")
        reach = paragraph("", "muted")
        reach.set(role="status")

    def wanted() -> dict[str, Any]:
        return asked(segment.id, without.value, channel.value, topic.value)

    async def count() -> None:
        counted = await visit.api.send(audiences.count(wanted()))
        many = formats.count(counted.count, "profile")
        reach.text = f"It reaches {many}. {advised(counted.advice)}"

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

    with dialog.body:
        button("Count", count)
    dialog.offer("Freeze", freeze).open()
    await count()


def _ready(visit: Visit, made: frozen.Frozen, many: int) -> None:
    done = Dialog(visit, "The audience is ready")
    with done.body:
        until = formats.moment(made.expires_at, visit.zone)
        paragraph(READY.format(formats.count(many, "profile"), until))
        Tag("code", made.token, "definition")
    done.offer_close().open()


def asked(segment: str, without: str, channel: str, topic: str) -> dict[str, Any]:
    """The audience as the API has it; pure."""
    audience: dict[str, Any] = {"include": [segment]}
    if excluded := listed(without):
        audience["exclude"] = excluded
    if channel:
        about = {"topic": topic.strip()} if topic.strip() else {}
        audience["consent"] = {"channel": channel, **about}
    return audience


def advised(advice: audiences.Advice) -> str:
    if advice.parts > 1:
        return f"That is more than one send should have: split it into {advice.parts} parts."
    return SIZES.get(advice.size, "")
