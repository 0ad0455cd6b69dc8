"""Who is in an audience now, partition by partition, a bounded piece at a time.

One script call looks at a piece: the next ids of the included segments in byte order, without those in
excluded ones, with their states where consents or attributes are asked for. All of a piece is of one
instant, and a piece has a bound, so the store never works long for one of them. All keys of a call have the
partition's hash tag.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from livesegments.core.audience import Audience, Held, judge, reading
from livesegments.store import keys
from livesegments.store.members import Place
from livesegments.store.standing import Heads, Lives, anew
from livesegments.store.together import Command
from livesegments.wire.topics import partition_of

PIECE = 2_000
"""Ids that one call looks at, over all included segments together."""
FEWEST = 100
"""Of one segment, however many are included."""
MOST_PIECES = 200
"""For one page: where fewer fit the audience, a page has fewer, and the next one goes on."""

_COMMON = """
local function missing(ids, keys, from, to)
  for k = from, to do
    local left = {}
    for start = 1, #ids, 1000 do
      local stop = math.min(start + 999, #ids)
      local scores = redis.call('ZMSCORE', keys[k], unpack(ids, start, stop))
      for at = start, stop do
        if not scores[at - start + 1] then left[#left + 1] = ids[at] end
      end
    end
    ids = left
  end
  return ids
end
local function having(ids, key)
  local left = {}
  for start = 1, #ids, 1000 do
    local stop = math.min(start + 999, #ids)
    local scores = redis.call('ZMSCORE', key, unpack(ids, start, stop))
    for at = start, stop do
      if scores[at - start + 1] then left[#left + 1] = ids[at] end
    end
  end
  return left
end
local function states(ids, key)
  local found = {}
  for start = 1, #ids, 1000 do
    local some = redis.call('HMGET', key, unpack(ids, start, math.min(start + 999, #ids)))
    for at = 1, #some do found[#found + 1] = some[at] end
  end
  return found
end
"""

NEXT = (
    _COMMON
    + """
-- KEYS: the hash of profiles, the included segments, the excluded ones
-- ARGV: how many are included, `any` or `all`, from where, up to where, how many, whether with states
local function after(a, b)
  local n = math.min(#a, #b)
  for i = 1, n do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x > y end
  end
  return #a > #b
end
local included, from, upto, most = tonumber(ARGV[1]), ARGV[3], ARGV[4], tonumber(ARGV[5])
local ids, bound = {}, ''
if ARGV[2] == 'all' then
  local fewest, size
  for k = 2, included + 1 do
    local card = redis.call('ZCARD', KEYS[k])
    if not size or card < size then fewest, size = k, card end
  end
  ids = redis.call('ZRANGEBYLEX', KEYS[fewest], from, upto, 'LIMIT', 0, most)
  if #ids == most then bound = ids[most] end
  for k = 2, included + 1 do
    if k ~= fewest and #ids > 0 then ids = having(ids, KEYS[k]) end
  end
else
  local lists = {}
  for k = 2, included + 1 do
    local list = redis.call('ZRANGEBYLEX', KEYS[k], from, upto, 'LIMIT', 0, most)
    lists[k - 1] = list
    if #list == most and (bound == '' or after(bound, list[most])) then bound = list[most] end
  end
  local seen = {}
  for k = 1, included do
    local list = lists[k]
    local stop = #list
    if bound ~= '' and stop > 0 and after(list[stop], bound) then
      local low = 0  -- list[low] is not after the bound, list[stop] is
      while stop - low > 1 do
        local middle = math.floor((low + stop) / 2)
        if after(list[middle], bound) then stop = middle else low = middle end
      end
      stop = low
    end
    if included == 1 then
      ids = list
    else
      for at = 1, stop do
        if not seen[list[at]] then
          seen[list[at]] = true
          ids[#ids + 1] = list[at]
        end
      end
    end
  end
end
ids = missing(ids, KEYS, included + 2, #KEYS)
return {bound, ids, ARGV[6] == '1' and states(ids, KEYS[1]) or {}}
"""
)
"""The reply: the last id looked at ('' once there are no more), the ids, their states."""

OF_THESE = (
    _COMMON
    + """
-- KEYS as above; ARGV: how many are included, `any` or `all`, whether with states, then the ids
local included, ids = tonumber(ARGV[1]), {}
for at = 4, #ARGV do ids[#ids + 1] = ARGV[at] end
if ARGV[2] == 'all' then
  for k = 2, included + 1 do ids = having(ids, KEYS[k]) end
else
  local inside, found = {}, {}
  for k = 2, included + 1 do
    for _, id in ipairs(having(ids, KEYS[k])) do inside[id] = true end
  end
  for _, id in ipairs(ids) do
    if inside[id] then found[#found + 1] = id end
  end
  ids = found
end
ids = missing(ids, KEYS, included + 2, #KEYS)
return {ids, ARGV[3] == '1' and states(ids, KEYS[1]) or {}}
"""
)
"""The reply: those of the ids that are in the right segments, and their states."""


class Piece(Struct, frozen=True):
    """Of a partition: members of the audience in byte order, their states where they were asked for, and the
    last id that was looked at ('' once there are no more)."""

    ids: list[str]
    states: Mapping[str, Held]
    last: str


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
        after: str = "",
        upto: str = "",
        names: Sequence[str] = (),
    ) -> Piece:
        """The next piece after an id, up to and with another one ('': to the end), with these attributes of
        its members."""
        wanted = bool(names) or audience.consent is not None
        (reply,) = await self.heads.read(
            _call(
                NEXT,
                workspace,
                audience,
                partition,
                len(audience.include),
                audience.match,
                "(" + after if after else "-",
                "[" + upto if upto else "+",
                PIECE if audience.match == "all" else max(FEWEST, PIECE // len(audience.include)),
                int(wanted),
            )
        )
        last, ids, found = reply
        kept, having = _judged(audience, ids, found if wanted else None, names)
        return Piece(sorted(kept, key=str.encode), having, last.decode())

    async def of_these(
        self, workspace: str, audience: Audience, partition: int, ids: Sequence[str]
    ) -> set[str]:
        """Those of a partition's profiles that are in the audience now."""
        wanted = audience.consent is not None
        (reply,) = await self.heads.read(
            _call(
                OF_THESE,
                workspace,
                audience,
                partition,
                len(audience.include),
                audience.match,
                int(wanted),
                *ids,
            )
        )
        return set(_judged(audience, reply[0], reply[1] if wanted else None)[0])

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
        at = after if after is not None else Place(0, "")
        for _ in range(MOST_PIECES):
            piece = await self.piece(workspace, audience, at.partition, at.member, names=names)
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
                return found, having, Place(at.partition, found[-1])
            if piece.last:
                at = Place(at.partition, piece.last)
            elif at.partition + 1 < self.partitions:
                at = Place(at.partition + 1, "")
            else:
                return found, having, None
            if len(found) == limit:
                break
        return found, having, at


def _call(script: str, workspace: str, audience: Audience, partition: int, *arguments: str | int) -> Command:
    names = [
        keys.profiles(partition, workspace),
        *(keys.members(partition, workspace, each) for each in (*audience.include, *audience.exclude)),
    ]
    return ("EVAL", script, len(names), *names, *arguments)


def _judged(
    audience: Audience, ids: Sequence[bytes], states: Sequence[Any] | None, wanted: Sequence[str] = ()
) -> tuple[list[str], dict[str, Held]]:
    names = [each.decode() for each in ids]
    read = reading(tuple(wanted), consent=audience.consent is not None)
    having = (
        {}
        if states is None
        else {name: read(state) for name, state in zip(names, states, strict=True) if state is not None}
    )
    if audience.plain:
        return names, having
    holds = judge(audience)
    return [name for name in names if holds(name, having.get(name))], having
