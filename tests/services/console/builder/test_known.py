"""What fields offer while a builder is open: names and values that come in meanwhile, too."""

from __future__ import annotations

import asyncio

from livesegments.client import Unreachable
from livesegments.console.builder.known import Known
from livesegments.console.builder.later import Later
from livesegments.console.builder.seen import Path, Seen


async def paused() -> None:
    await asyncio.sleep(0)


def attributes(seen: Seen) -> dict[str, str]:
    return dict.fromkeys(seen.attributes, "")


class Field:
    def __init__(self) -> None:
        self.offered, self.times, self.is_there = dict[str, str](), 0, True

    def fill(self, found: dict[str, str]) -> bool:
        self.offered, self.times = found, self.times + 1
        return self.is_there


async def test_a_name_that_was_seen_meanwhile_is_offered_and_an_api_that_is_away_takes_none_away() -> None:
    answers: list[Seen | Unreachable] = [
        Unreachable("away", sent=False),
        Seen(attributes={"town": Path(), "size": Path()}),
    ]

    async def again(before: Seen) -> Seen:
        found = answers.pop(0)
        if isinstance(found, Unreachable):
            raise found
        return found

    known, field = Known(Seen(attributes={"town": Path()}), again, paused), Field()
    known.offers(attributes).then(field.fill)
    assert list(field.offered) == ["town"]
    known.renew()
    while len(answers) > 1:  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert list(field.offered) == ["town"]
    await asyncio.sleep(0)
    known.renew()
    while "size" not in field.offered:  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert list(known.seen.attributes) == ["town", "size"]
    known.stop()


async def test_the_last_of_many_wishes_is_followed_by_a_reading_and_no_two_go_at_once() -> None:
    reading, held, readings = 0, asyncio.Event(), 0

    async def again(before: Seen) -> Seen:
        nonlocal reading, readings
        reading, readings = reading + 1, readings + 1
        assert reading == 1
        await held.wait()
        reading -= 1
        return before

    known = Known(Seen(), again, paused)
    for _ in range(9):
        known.renew()
        await asyncio.sleep(0)
    held.set()
    known.renew()
    while readings < 2:  # noqa: ASYNC110
        await asyncio.sleep(0)
    for _ in range(9):
        await asyncio.sleep(0)
    assert readings == 2
    known.stop()


def test_a_field_that_is_gone_is_forgotten() -> None:
    later, gone, stays = Later(), Field(), Field()
    later.then(gone.fill)
    later.then(stays.fill)
    gone.is_there = False
    assert later.come({"a": ""}) and later.come({"b": ""})
    assert (gone.times, stays.times) == (1, 2) and later.is_heard
    stays.is_there = False
    assert not later.come({"c": ""}) and not later.is_heard


async def test_a_segment_beyond_those_that_were_read_is_found_by_what_is_typed() -> None:
    asked: list[str] = []

    async def again(before: Seen) -> Seen:
        return before

    async def find(text: str) -> dict[str, str]:
        asked.append(text)
        await asyncio.sleep(0)
        return {f"s-{text}": f"Name of {text}"}

    few = Known(Seen(segments={"a": "A"}), again, paused, find)
    few.seek("b")
    assert asked == []  # all there are were read
    known, field = Known(Seen(segments={"a": "A"}, has_all_segments=False), again, paused, find), Field()
    known.offers(lambda seen: seen.segments).then(field.fill)
    for text in ("w", "wi", "win"):
        known.seek(text)
    while "s-win" not in field.offered:  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert asked == ["win"] and field.offered == {"a": "A", "s-win": "Name of win"}
    known.stop()
