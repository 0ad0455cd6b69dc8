"""Who has left a frozen audience since, and who has come, a bounded piece at a time.

The ids of a token lie in fields, in byte order. A field stands for all ids behind the last one of the field
before it, up to its own last one; the last field of a partition for all that follow, too. So whoever came
since belongs to just one field.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec import Struct

from livesegments.store.audiences import Audiences
from livesegments.store.frozen import Frozen, FrozenStore

MOST_PIECES = 20
"""For one page of changes, which therefore may have fewer than were asked for, even none."""


class Since(Struct, frozen=True, array_like=True):
    """In the field `page` of `partition`, behind the id `after`."""

    partition: int = 0
    page: int = 0
    after: str = ""


class Departures:
    """All reads raise Gone, Away and Restoring."""

    def __init__(self, audiences: Audiences, frozen: FrozenStore) -> None:
        self._audiences, self._frozen = audiences, frozen

    async def left(
        self, workspace: str, frozen: Frozen, at: Since, limit: int
    ) -> tuple[list[str], Since | None]:
        """Profiles of the token that are not in the audience now, and where to go on; None: that was all."""
        return await self._paged(workspace, frozen, at, limit, self._left)

    async def entered(
        self, workspace: str, frozen: Frozen, at: Since, limit: int
    ) -> tuple[list[str], Since | None]:
        """Profiles that are in the audience now and not in the token, and where to go on."""
        return await self._paged(workspace, frozen, at, limit, self._entered)

    async def _paged(
        self,
        workspace: str,
        frozen: Frozen,
        at: Since | None,
        limit: int,
        piece: Callable[[str, Frozen, Since], Awaitable[tuple[list[str], Since | None]]],
    ) -> tuple[list[str], Since | None]:
        found: list[str] = []
        for _ in range(MOST_PIECES):
            if at is None or len(found) >= limit:
                break
            some, following = await piece(workspace, frozen, at)
            room = limit - len(found)
            if len(some) > room:
                found += some[:room]
                return found, Since(at.partition, at.page, found[-1])
            found += some
            at = following
        return found, at

    async def _left(self, workspace: str, frozen: Frozen, at: Since) -> tuple[list[str], Since | None]:
        if at.page >= frozen.pages(at.partition):
            return [], _next(frozen, at)
        (ids,) = await self._frozen.read(workspace, frozen, [(at.partition, at.page)])
        behind = [id_ for id_ in ids if id_.encode() > at.after.encode()]
        inside = (
            await self._audiences.of_these(workspace, frozen.audience, at.partition, behind)
            if behind
            else set()
        )
        return [id_ for id_ in behind if id_ not in inside], _next(frozen, at, ids[-1])

    async def _entered(self, workspace: str, frozen: Frozen, at: Since) -> tuple[list[str], Since | None]:
        pages = frozen.pages(at.partition)
        ids: list[str] = []
        if at.page < pages:
            (ids,) = await self._frozen.read(workspace, frozen, [(at.partition, at.page)])
        upto = ids[-1] if at.page + 1 < pages else ""
        piece = await self._audiences.piece(workspace, frozen.audience, at.partition, at.after, upto)
        known = set(ids)
        new = [id_ for id_ in piece.ids if id_ not in known]
        if piece.last and piece.last != upto:
            return new, Since(at.partition, at.page, piece.last)
        return new, _next(frozen, at, upto)


def _next(frozen: Frozen, at: Since, after: str = "") -> Since | None:
    if at.page + 1 < frozen.pages(at.partition):
        return Since(at.partition, at.page + 1, after)
    following = at.partition + 1
    return Since(following) if following < len(frozen.counts) else None
