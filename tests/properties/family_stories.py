"""What happens to several profiles that go into each other, drawn."""

from __future__ import annotations

from hypothesis import strategies as st
from msgspec import Struct

from tests.properties.catalogue import Catalogue, Put
from tests.properties.definitions import Draw
from tests.properties.histories import DAY, STARTS, ZONES, Happen, Tick, ahead, happenings, retractions

MEMBERS = "abcd"


class To(Struct, frozen=True):
    """A command for one of the profiles."""

    profile: str
    command: Happen | Tick


class Merge(Struct, frozen=True):
    old: str
    into: str


class Take(Struct, frozen=True):
    """What was handed over to a profile first is taken by it."""

    profile: str


class Again(Struct, frozen=True):
    """A profile hands its newest records over again, so many of them."""

    sender: str
    count: int


class Carry(Struct, frozen=True):
    """The retractions of a profile that wait are carried out."""

    profile: str


class Gone(Struct, frozen=True):
    """A profile is erased, and kept out until it is let in again (another one of these)."""

    profile: str


Command = To | Merge | Take | Again | Carry | Gone


class Story(Struct, frozen=True):
    zone: str
    start: str
    dedup_window_ms: int
    dedup_max_ids: int
    segments: list[Put]
    commands: list[Command]
    most: int | None = None


@st.composite
def stories(draw: Draw) -> Story:
    erasures = draw(st.integers(0, 3)) == 0
    catalogue = Catalogue(draw)
    puts = [put for _ in range(draw(st.integers(2, 5))) for put in catalogue.put()]
    last = {put.segment: put for put in puts if isinstance(put, Put)}
    commands: list[Command] = []
    ids: list[str] = []
    owners: dict[str, str] = {}
    who = st.sampled_from(MEMBERS[: draw(st.integers(2, len(MEMBERS)))])
    for index in range(draw(st.integers(6, 28))):
        match draw(st.integers(0, 20)):
            case 16 | 17 | 18:
                came = draw(st.sampled_from(ids[-8:])) if ids else ""
                to = owners.get(came, "a") if draw(st.integers(0, 2)) else draw(who)
                for each in draw(retractions(index, [came] if came else [])):
                    commands.append(To(to, each) if isinstance(each, Happen) else Carry(to))
            case 19:
                commands.append(Carry(draw(who)))
            case 20 if erasures:
                commands.append(Gone(draw(who)))
            case 0 | 1 | 2:
                commands.append(Merge(draw(who), draw(who)))
            case 3 | 4 | 5 | 6:
                commands.append(Take(draw(who)))
            case 7:
                commands.append(Again(draw(who), draw(st.integers(1, 4))))
            case 8:
                commands.append(To(draw(who), Tick(draw(ahead))))
            case _:
                happened = draw(happenings(index, ids, catalogue.leaves()))
                ids += [each.id for each in happened]
                to = draw(who)
                owners |= {each.id: to for each in happened}
                commands += [To(to, each) for each in happened]
    window_ms, newest = draw(st.sampled_from(((7 * DAY, 1_000), (7 * DAY, 1_000), (DAY, 2))))
    zone, start = draw(st.sampled_from(ZONES)), draw(st.sampled_from(STARTS))
    most = draw(st.sampled_from((None, None, None, 2, 12)))
    return Story(zone, start, window_ms, newest, list(last.values()), commands, most)
