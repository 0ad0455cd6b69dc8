"""Random histories of one profile: what happens, when, in which order; definitions that come and go."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from msgspec import Struct

from livesegments.core.event import RETRACT
from tests.properties.aim import PROFILE, aimed, listing
from tests.properties.catalogue import Catalogue, Delete, Put
from tests.properties.definitions import (
    DATES,
    NAMES,
    PAIRS,
    SENTINELS,
    STATES,
    STATIC,
    TAGS,
    Draw,
    Json,
    scalars,
)

HOUR, DAY = 3_600_000, 86_400_000
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Kolkata")
STARTS = (
    "2024-01-30T11:00:00Z",
    "2024-02-28T23:30:00Z",
    "2024-03-09T07:30:00Z",
    "2024-03-30T01:30:00Z",
    "2024-04-06T14:45:00Z",
    "2024-10-26T00:30:00Z",
    "2024-11-03T05:30:00Z",
    "2023-12-31T22:59:59.999Z",
)
MONTHS = (29 * DAY, 30 * DAY, 31 * DAY)
AHEAD = (0, 0, 0, 1, 1_000, HOUR, 23 * HOUR, DAY, DAY, 2 * DAY, *MONTHS, 100 * DAY, 366 * DAY)
LATE = (1, 1_000, HOUR, DAY, DAY + HOUR, 23 * HOUR, *MONTHS, 400 * DAY)

BURSTS = st.sampled_from((0,) * 9 + (3, 5))
"""How many more events of the same kind follow: a count of five hardly comes about by chance."""


class When(Struct, frozen=True):
    """Milliseconds from the clock, or from the profile's next wake where `wake` (if it has one), or from the instant
    of the event with the id `of` (if one came)."""

    plus_ms: int
    wake: bool = False
    of: str | None = None


class Happen(Struct, frozen=True):
    id: str
    name: str
    when: When
    properties: Json = {}


class Tick(Struct, frozen=True):
    """The clock goes on."""

    when: When


class Forget(Struct, frozen=True):
    """The cached profile is forgotten, and the stored one is read again."""


class Look(Struct, frozen=True):
    """The profile is looked at, and brought up to the newest definitions for it."""


class Fill(Struct, frozen=True):
    """New facts are given their history, and the segments that waited for it are served."""

    lazily: bool = False


class Recount(Struct, frozen=True):
    """The retractions that wait are carried out."""


Command = Put | Delete | Happen | Tick | Forget | Look | Fill | Recount


class History(Struct, frozen=True):
    zone: str
    start: str
    dedup_window_ms: int
    dedup_max_ids: int
    commands: list[Command]
    most: int | None = None
    """Every bound of the profile; None: as they are."""


at_the_wake = [When(plus, wake=True) for plus in (-1, 0, 0, 1)]
later = [When(plus) for plus in AHEAD]
ahead = st.sampled_from(later + at_the_wake * 2)
moments = st.sampled_from(later * 3 + at_the_wake * 2 + [When(-late) for late in LATE])


@st.composite
def properties(draw: Draw) -> Json:
    found: Json = {"x": draw(scalars)}
    for _ in range(draw(st.integers(0, 1))):
        match draw(st.integers(0, 6)):
            case 0 | 1:
                found["x"] = draw(scalars)
            case 2:
                found["y"] = draw(scalars | st.none())
            case 3:
                found["x"] = draw(st.lists(scalars, max_size=3))
            case 4:
                found["o"] = {"x": draw(scalars)}
            case 5:
                both: Any = st.builds(lambda x, y: {"x": x, "y": y}, scalars, scalars)
                items: Any = st.builds(lambda value: {"x": value}, scalars) | both | scalars | st.none()
                found["l"] = draw(st.lists(items, max_size=3))
            case 6:
                found["m"] = [{"n": {"x": draw(scalars)}}, {"n": [[{"x": [draw(scalars)]}]]}]
    return found


@st.composite
def changes(draw: Draw) -> Json:
    found: Json = {}
    for _ in range(draw(st.integers(1, 2))):
        match draw(st.integers(0, 8)):
            case 0 | 1 | 2:
                name = draw(st.sampled_from(("p", "q")))
                value = draw(scalars | scalars | st.none() | st.lists(scalars, max_size=2))
                found["attributes"] = {name: value}
            case 3:
                found["attributes"] = {"day": draw(st.sampled_from((*DATES, *SENTINELS)))}
            case 4:
                found["attributes"] = {"place": {"lat": draw(st.sampled_from((48, 48.5, 50))), "lon": 11}}
            case 5:
                key = draw(st.sampled_from(("tags_add", "tags_remove")))
                found = {**found, "tags_add": [], "tags_remove": [], key: [draw(st.sampled_from(TAGS))]}
            case 6:
                found["consent"] = [{**draw(st.sampled_from(PAIRS)), "state": draw(st.sampled_from(STATES))}]
            case 7:
                key = draw(st.sampled_from(("set", "increment")))
                found["score"] = {key: draw(st.sampled_from((0, 1, 0.1, 0.2, -1, 2, 1.7e308, -1.7e308)))}
            case 8:
                static = draw(st.sampled_from(STATIC))
                found |= draw(listing(static) | st.just({"groups": [static]}))
    return found


@st.composite
def happenings(draw: Draw, index: int, ids: list[str], asked: list[Json]) -> list[Happen]:
    """An event, mostly aimed at what is asked; a repeat at times; at times several of a kind."""
    id_ = f"{draw(st.sampled_from('abc'))}{index}"
    if ids and draw(st.integers(0, 7)) == 0:
        id_ = draw(st.sampled_from(ids[-4:] + ids))
    chance = draw(st.integers(0, 9))
    if chance < 6 and asked:
        name, parts = draw(aimed(draw(st.sampled_from(asked))))
    elif chance < 8:
        name, parts = PROFILE, draw(changes())
    else:
        name, parts = draw(st.sampled_from(NAMES)), draw(properties())
    twin = id_ in ids and draw(st.booleans())
    found = [Happen(id_, name, When(0, of=id_) if twin else draw(moments), parts)]
    for more in range(draw(BURSTS) if name != PROFILE else 0):
        varied = {**parts, "x": more} if draw(st.booleans()) else parts
        found.append(Happen(f"{id_}.{more}", name, draw(moments), varied))
    return found


@st.composite
def retractions(draw: Draw, index: int, ids: list[str]) -> list[Command]:
    """Of an event that came, or of one that may still come; once more at times; carried out at once, or later."""
    coming = [f"{letter}{index + more}" for letter in "abc" for more in (1, 2, 3)]
    came = ids and draw(st.integers(0, 4)) > 0
    id_ = draw(st.sampled_from(ids[-6:] + ids if came else coming))
    found: list[Command] = [Happen(f"r{index}", RETRACT, draw(moments), {"event_id": id_})]
    if draw(st.integers(0, 4)) == 0:
        found.append(Happen(f"rr{index}", RETRACT, draw(moments), {"event_id": id_}))
    return [*found, Recount()] if draw(st.booleans()) else found


@st.composite
def histories(draw: Draw) -> History:
    catalogue = Catalogue(draw)
    commands: list[Command] = []
    for _ in range(draw(st.integers(3, 6))):
        commands += catalogue.put()
    ids: list[str] = []
    for index in range(draw(st.integers(8, 26))):
        match draw(st.integers(0, 24)):
            case 0:
                commands += catalogue.put()
            case 1:
                commands += catalogue.delete()
            case 2 | 3 | 4:
                commands.append(Tick(draw(ahead)))
            case 5:
                commands.append(Forget())
            case 6:
                commands.append(Look())
            case 7 | 8:
                commands.append(Fill(draw(st.booleans())))
            case 9 | 10:
                commands += draw(retractions(index, ids))
            case _:
                happened = draw(happenings(index, ids, catalogue.leaves()))
                ids += [each.id for each in happened]
                commands += happened
    commands += [Recount(), Fill(), Look()]
    window_ms, newest = draw(st.sampled_from(((7 * DAY, 1_000), (7 * DAY, 1_000), (DAY, 2))))
    zone, start = draw(st.sampled_from(ZONES)), draw(st.sampled_from(STARTS))
    most = draw(st.sampled_from((None, None, None, 1, 2, 12, 30)))
    return History(zone, start, window_ms, newest, commands, most)
