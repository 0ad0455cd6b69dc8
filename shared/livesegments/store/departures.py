"""Who has left a frozen audience since, and who has come, a bounded piece at a time.

The ids of a token lie in fields, in the order of their profiles' numbers. A field stands for all numbers
behind the last one of the field before it, up to its own last one; the last field of a partition for all that
follow, too. So whoever came since belongs to just one field.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from livesegments.store.audiences import Audiences
from livesegments.store.frozen import Frozen, FrozenStore

MOST_PIECES = 20
"""For one page of changes, which therefore may have fewer than were asked for, even none."""


class Since(Struct, frozen=True, array_like=True):
    """In the field `page` of `partition`: behind so many of its ids, or behind the number `after`."""

    partition: int = 0
    page: int = 0
    offset: int = 0
    after: int = 0


class Departures:
    """All reads raise Gone, Away and Restoring."""

    def __init__(self, audiences: Audiences, frozen: FrozenStore) -> None:
        self._audiences, self._frozen = audiences, frozen

    async def left(
        self, workspace: str, frozen: Frozen, at: Since, limit: int
    ) -> tuple[list[str], Since | None]:
        """Profiles of the token that are not in the audience now, and where to go on; None: that was all."""
        found: list[str] = []
        place: Since | None = at
        for _ in range(MOST_PIECES):
            if place is None or len(found) >= limit:
                break
            ids, inside = await self._field(workspace, frozen, place)
            for offset, id_ in enumerate(ids[place.offset :], place.offset):
                if id_ not in inside:
                    if len(found) == limit:
                        return found, Since(place.partition, place.page, offset)
                    found.append(id_)
            place = _next(frozen, place)
        return found, place

    async def entered(
        self, workspace: str, frozen: Frozen, at: Since, limit: int
    ) -> tuple[list[str], Since | None]:
        """Profiles that are in the audience now and not in the token, and where to go on."""
        found: list[str] = []
        place: Since | None = at
        for _ in range(MOST_PIECES):
            if place is None or len(found) >= limit:
                break
            known, upto = await self._known(workspace, frozen, place)
            bound = upto if place.page + 1 < frozen.pages(place.partition) else 0
            piece = await self._audiences.piece(
                workspace, frozen.audience, place.partition, place.after, bound
            )
            for id_, number in zip(piece.ids, piece.numbers, strict=True):
                if id_ not in known:
                    if len(found) == limit:
                        return found, place
                    found.append(id_)
                place = Since(place.partition, place.page, 0, number)
            if piece.last:
                place = Since(place.partition, place.page, 0, piece.last)
            else:
                place = _next(frozen, place, upto)
        return found, place

    async def _field(self, workspace: str, frozen: Frozen, at: Since) -> tuple[Sequence[str], set[str]]:
        """The ids of a field, and who is in the audience now among those that it stands for."""
        if at.page >= frozen.pages(at.partition):
            return [], set()
        wanted = [(at.partition, page) for page in (at.page - 1, at.page) if page >= 0]
        fields = await self._frozen.read(workspace, frozen, wanted)
        ids, upto = fields[-1]
        after, inside = fields[0].last if at.page else 0, set[str]()
        while True:
            piece = await self._audiences.piece(workspace, frozen.audience, at.partition, after, upto)
            inside.update(piece.ids)
            after = piece.last
            if not after:
                return ids, inside

    async def _known(self, workspace: str, frozen: Frozen, at: Since) -> tuple[set[str], int]:
        """The ids of a field, and the number of the last one."""
        if at.page >= frozen.pages(at.partition):
            return set(), 0
        ((ids, last),) = await self._frozen.read(workspace, frozen, [(at.partition, at.page)])
        return set(ids), last


def _next(frozen: Frozen, at: Since, after: int = 0) -> Since | None:
    if at.page + 1 < frozen.pages(at.partition):
        return Since(at.partition, at.page + 1, 0, after)
    following = at.partition + 1
    return Since(following) if following < len(frozen.counts) else None
