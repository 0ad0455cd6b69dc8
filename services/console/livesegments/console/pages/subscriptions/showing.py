"""One subscription: what it hears, its state, its attempts, and what can be done about it."""

from __future__ import annotations

from livesegments.client import subscriptions
from livesegments.client.subscriptions import Subscription
from livesegments.console import formats, paths
from livesegments.console.pages.subscriptions import replaying, secrets, shown
from livesegments.console.parts.button import button
from livesegments.console.parts.dialog import Dialog
from livesegments.console.parts.empty import empty
from livesegments.console.parts.table import Column, table
from livesegments.console.parts.tag import Tag, badge, heading, paragraph
from livesegments.console.segment_names import of_workspace
from livesegments.console.visit import Visit

LOOK_S = 2.0


async def build(visit: Visit) -> None:
    id_ = visit.part("subscription")
    found = await visit.api.send(subscriptions.read(id_))
    names = await of_workspace(visit.api, found.segments[: shown.SEGMENTS])
    with Tag("div", "", "page-head"):
        with Tag("div"):
            heading(formats.short(found.name), classes="break")
            paragraph(shown.hears(found, names), "muted break")
        actions = Tag("div", "", "row")
    state = Tag("div", "", "stack tight above")
    with Tag("section", "", "card", aria_label="What holds for its messages"), Tag("dl", "", "pairs"):
        for name, value in shown.rules(found):
            with Tag("div"):
                Tag("dt", name)
                Tag("dd", value, "break")
    place = Tag("div", "", "stack")
    last: tuple[object, ...] = ()

    async def look() -> None:
        nonlocal last
        now = await visit.api.send(subscriptions.read(id_))
        if now.webhook is None:
            tried, letters = [], []
        else:
            tried = (await visit.api.send(subscriptions.attempts(id_))).attempts
            letters = (await visit.api.send(subscriptions.dead_letters(id_))).dead_letters
        if (now, tried, letters) == last:
            return
        last = (now, tried, letters)
        _state(state, now)
        actions.clear()
        with actions:
            _actions(visit, now, look)
        place.clear()
        with place:
            if now.webhook is None:
                empty(
                    "Its receiver pulls",
                    f"It asks GET /v1/subscriptions/{id_}/transitions, and keeps the cursor.",
                    "sync",
                )
            else:
                _attempts(shown.tried(tried, visit.zone))
                _letters(shown.given_up(letters, visit.zone))

    await look()
    visit.every(LOOK_S, look)


def _state(place: Tag, now: Subscription) -> None:
    place.clear()
    with place:
        with Tag("div", "", "row"):
            badge(*shown.state(now))
        if reason := shown.state_reason(now):
            paragraph(reason, "muted")


def _actions(visit: Visit, now: Subscription, again: replaying.Again) -> None:
    if not visit.may("write"):
        return

    async def turn(paused: bool) -> None:
        await visit.api.send(subscriptions.edit(now.id, if_match=now.version, paused=paused))
        await again()

    if now.state == "active":
        button("Pause", lambda: turn(True), picture="pause")
    else:
        button("Go on", lambda: turn(False), "primary", "play_arrow")
    if now.webhook is not None:
        button("Replay …", lambda: replaying.ask(visit, now.id), picture="replay")
        button("New secret …", lambda: _rotate(visit, now), picture="key")
    button("Delete …", lambda: _delete(visit, now), "danger", "delete")


def _rotate(visit: Visit, now: Subscription) -> None:
    dialog = Dialog(visit, "Make a new secret?")
    with dialog.body:
        paragraph("Messages are signed with both for a while, so the receiver has time to take the new one.")

    async def rotate() -> None:
        made = await visit.api.send(subscriptions.rotate_secret(now.id))
        until = formats.moment(made.former_valid_until, visit.zone)
        secrets.show(visit, made.secret, f"The secret before signs as well until {until}.", lambda: None)

    dialog.offer("Make it", rotate)
    dialog.open()


def _delete(visit: Visit, now: Subscription) -> None:
    dialog = Dialog(visit, f"Delete {formats.short(now.name, 80)}?")
    with dialog.body:
        paragraph("Nothing more is sent, and what was not sent yet is dropped. Segments stay as they are.")

    async def delete() -> None:
        await visit.api.send(subscriptions.delete(now.id))
        visit.go(paths.SUBSCRIPTIONS)

    dialog.offer("Delete", delete, "danger")
    dialog.open()


def _attempts(rows: list[shown.Tried]) -> None:
    with Tag("section", "", "stack tight", aria_label="Attempts"):
        Tag("h2", "Attempts")
        if not rows:
            paragraph("No message was sent yet: the next one that enters or leaves makes one.", "muted")
            return
        with table("Attempts to deliver messages", "When", "Message", "Answer", Column("Took", number=True)):
            for row in rows:
                with Tag("tr"):
                    Tag("td", row.when)
                    Tag("td", row.id, "mono break")
                    with Tag("td"):
                        badge(row.answer, row.kind)
                    Tag("td", row.took, "number")


def _letters(rows: list[tuple[str, str, str, str]]) -> None:
    if not rows:
        return
    with Tag("section", "", "stack tight", aria_label="Messages that were given up"):
        Tag("h2", "Given up")
        paragraph(
            "These were tried for as long as the schedule says. A replay of that time sends them again.",
            "muted",
        )
        with table("Messages that were given up", "When", "Message", "Had", "Last answer"):
            for when, id_, had, answer in rows:
                with Tag("tr"):
                    Tag("td", when)
                    Tag("td", id_, "mono break")
                    Tag("td", had)
                    Tag("td", answer, "break")
