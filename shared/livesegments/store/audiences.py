"""Who is in an audience now, partition by partition, a bounded piece at a time.

One script call (`walk.NEXT`) looks at a piece: the next members of the included segments in the order of
their numbers, without those in excluded ones, with their states where consents or attributes are asked for.
All of a piece is of one instant, and a piece has a bound, so the store never works long for one of them. All
keys of a call have the partition's hash tag.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress

from msgspec import Struct

from livesegments.core.audience import Audience, Held, judge, reading
from livesegments.store import keys, walk
from livesegments.store.members import Place
from livesegments.store.standing import Heads, Lives, anew
from livesegments.wire.topics import partition_of

PIECE = 2_000
"""Ids that one call gives."""
MOST_PIECES = 200
"""For one page: where fewer fit the audience, a page has fewer, and the next one goes on."""


class Piece(Struct, frozen=True):
    """Of a partition: members of the audience in the order of their numbers, their states where they were
    asked for, and the last number that was looked at (0 once there are no more)."""

    ids: list[str]
    numbers: list[int]
    states: Mapping[str, Held]
    last: int


class Audiences:
    """All reads raise Away when the store can't be reached, and Restoring when it is not whole."""

    def __init__(self, heads: Heads) -> None:
        self.heads = heads
        self.partitions = heads.partitions

    async def piece(
        self,
        workspace: str,
        audience: Audience,
        partition: int,
        after: int = 0,
        upto: int = 0,
        names: Sequence[str] = (),
        most: int | None = None,
    ) -> Piece:
        """The next piece behind a number, up to and with another one (0: to the end), with these attributes
        of its members."""
        wanted = bool(names) or audience.consent is not None
        command = walk.command(
            partition,
            workspace,
            audience.include,
            audience.exclude,
            audience.match,
            after,
            upto,
            PIECE if most is None else min(most, PIECE),
            wanted,
        )
        ((last, numbers, found, states),) = await self.heads.read(command)
        ids = [each.decode() for each in found]
        having: dict[str, Held] = {}
        if wanted:
            read = reading(tuple(names), consent=audience.consent is not None)
            having = {id_: read(state) for id_, state in zip(ids, states, strict=True) if state is not None}
        if not audience.plain:
            holds = judge(audience)
            fits = [holds(id_, having.get(id_)) for id_ in ids]
            ids, numbers = list(compress(ids, fits)), list(compress(numbers, fits))
        return Piece(ids, numbers, having, last)

    async def states(self, workspace: str, ids: Sequence[str], names: Sequence[str]) -> dict[str, Held]:
        """These attributes of the profiles that there are."""
        read = reading(tuple(names), consent=False)
        shares: dict[int, list[str]] = {}
        for id_ in ids:
            shares.setdefault(partition_of(workspace, id_, self.partitions), []).append(id_)
        if not shares:
            return {}
        replies = await self.heads.read(
            *(("HMGET", keys.profiles(partition, workspace), *share) for partition, share in shares.items())
        )
        return {
            id_: read(state)
            for share, found in zip(shares.values(), replies, strict=True)
            for id_, state in zip(share, found, strict=True)
            if state is not None
        }

    async def page(
        self, workspace: str, audience: Audience, after: Place | None, limit: int, names: Sequence[str]
    ) -> tuple[list[str], dict[str, Held], Place | None]:
        """The next members (at most `limit`), these attributes of them, and where to go on; None: that was
        the last page. Whoever is in throughout is given exactly once."""
        found: list[str] = []
        having: dict[str, Held] = {}
        lives: Lives | None = None
        at = after if after is not None else Place(0)
        for _ in range(MOST_PIECES):
            most = limit - len(found) if audience.plain else None
            piece = await self.piece(workspace, audience, at.partition, at.number, names=names, most=most)
            now = await self.heads.lives()
            if lives is not None and lives != now:
                raise anew()
            lives = now
            room = limit - len(found)
            taken = piece.ids[:room]
            found += taken
            if names:
                having.update((id_, piece.states[id_]) for id_ in taken if id_ in piece.states)
            if len(piece.ids) > room:
                return found, having, Place(at.partition, piece.numbers[room - 1])
            if piece.last:
                at = Place(at.partition, piece.last)
            elif at.partition + 1 < self.partitions:
                at = Place(at.partition + 1)
            else:
                return found, having, None
            if len(found) == limit:
                break
        return found, having, at
