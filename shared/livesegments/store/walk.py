"""Members of a partition's segments, read in the order of their numbers: the scripts.

A segment is a sorted set (id → number) or a string of bits (module `evaluator.commits.sets` says when), never
both, so every script is given both keys of every segment. What one call reads is of one instant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from livesegments.store import keys
from livesegments.store.together import Command

BLOCK = 512
"""Bytes of bits, so 4,096 numbers, that a script combines at once."""
MOST_BLOCKS = 64
"""Then it says how far it has come: nobody waits long for it."""

NEXT = """
-- KEYS: the states, the ids; then of every segment the sorted set and the bits, the included ones first
-- ARGV: how many are included, `any` or `all`, the first number, the last one (0: no bound), how many ids,
-- whether with states, bytes of a block, how many blocks
local included, all, upto = tonumber(ARGV[1]), ARGV[2] == 'all', tonumber(ARGV[4])
local at, most, size, blocks = tonumber(ARGV[3]), tonumber(ARGV[5]), tonumber(ARGV[7]), tonumber(ARGV[8])
local segments, floor, band, bor = (#KEYS - 2) / 2, math.floor, bit.band, bit.bor
local sorted = {}
for k = 1, segments do sorted[k] = redis.call('EXISTS', KEYS[2 * k + 1]) == 1 end

local function first(k, from)  -- not behind the first member from there on; nil: there is none
  if sorted[k] then
    local some = redis.call('ZRANGE', KEYS[2 * k + 1], from, '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
    return some[2] and tonumber(some[2])
  end
  local place = redis.call('BITPOS', KEYS[2 * k + 2], 1, floor(from / 8))
  return place >= 0 and math.max(place, from) or nil
end

local function start(from)  -- the first number that may be in the audience; nil: there is none
  local found
  for k = 1, included do
    local place = first(k, from)
    if all and not place then return nil end
    if place and (not found or (all and place > found) or (not all and place < found)) then found = place end
  end
  if found and (upto == 0 or found <= upto) then return found end
end

local names = {}
local function block(k, from)  -- the bytes of a block, by their places from 1 on; nil: 0
  if not sorted[k] then
    local text = redis.call('GETRANGE', KEYS[2 * k + 2], from, from + size - 1)
    return {string.byte(text, 1, #text)}
  end
  local bytes, stop = {}, 8 * (from + size) - 1
  local found = redis.call('ZRANGE', KEYS[2 * k + 1], 8 * from, stop, 'BYSCORE', 'WITHSCORES')
  for n = 1, #found, 2 do
    local number = tonumber(found[n + 1])
    local place = floor(number / 8) - from + 1
    bytes[place] = bor(bytes[place] or 0, 2 ^ (7 - number % 8))
    names[number] = found[n]
  end
  return bytes
end

local numbers, last = {}, 0
at = start(at)
while at and blocks > 0 and #numbers < most do
  blocks = blocks - 1
  local from, bytes = floor(at / 8), {}
  for k = 1, segments do bytes[k] = block(k, from) end
  last = 8 * (from + size) - 1
  for place = 1, size do
    local byte = bytes[1][place] or 0
    for k = 2, included do
      byte = all and band(byte, bytes[k][place] or 0) or bor(byte, bytes[k][place] or 0)
    end
    if byte ~= 0 then
      for k = included + 1, segments do byte = band(byte, 255 - (bytes[k][place] or 0)) end
    end
    if byte ~= 0 then
      local number = 8 * (from + place - 1)
      for place = 7, 0, -1 do
        if byte >= 2 ^ place then
          byte = byte - 2 ^ place
          if number >= at and (upto == 0 or number <= upto) and #numbers < most then
            numbers[#numbers + 1] = number
          end
        end
        number = number + 1
      end
    end
    if #numbers == most then
      last = numbers[most]
      break
    end
  end
  at = start(last + 1)
end

local ids, missing = {}, {}
for n, number in ipairs(numbers) do
  ids[n] = names[number] or false
  if not ids[n] then missing[#missing + 1] = n end
end
for from = 1, #missing, 1000 do
  local stop, wanted = math.min(from + 999, #missing), {}
  for n = from, stop do wanted[n - from + 1] = numbers[missing[n]] end
  local found = redis.call('HMGET', KEYS[2], unpack(wanted))
  for n = from, stop do ids[missing[n]] = found[n - from + 1] end
end
if #missing > 0 then  -- of one whose id is not there nothing is known
  local those, their = {}, {}
  for n, id in ipairs(ids) do
    if id then those[#those + 1], their[#their + 1] = id, numbers[n] end
  end
  ids, numbers = those, their
end
local states = {}
if ARGV[6] == '1' then
  for from = 1, #ids, 1000 do
    local found = redis.call('HMGET', KEYS[1], unpack(ids, from, math.min(from + 999, #ids)))
    for n = 1, #found do states[#states + 1] = found[n] end
  end
end
return {at and last or 0, numbers, ids, states}
"""
"""The reply: the last number that was looked at (0 once there are no more), numbers, ids and states."""

SIZES = """
local found = {}
for k = 1, #KEYS, 2 do
  local count = redis.call('ZCARD', KEYS[k])
  found[#found + 1] = count > 0 and count or redis.call('BITCOUNT', KEYS[k + 1])
end
return found
"""
"""KEYS: of every segment the sorted set and the bits. The reply: how many members each has."""

WINDOW = """
local from, size, found, stop = tonumber(ARGV[1]), tonumber(ARGV[2]), {}, 0
for k = 1, #KEYS, 2 do
  local last = redis.call('ZRANGE', KEYS[k], 0, 0, 'REV', 'WITHSCORES')[2]
  stop = math.max(stop, redis.call('STRLEN', KEYS[k + 1]), last and math.floor(tonumber(last) / 8) + 1 or 0)
  found[#found + 1] = redis.call('GETRANGE', KEYS[k + 1], from, from + size - 1)
  found[#found + 1] = redis.call('ZRANGE', KEYS[k], 8 * from, 8 * (from + size) - 1, 'BYSCORE', 'WITHSCORES')
end
return {stop, found}
"""
"""ARGV: a first byte of bits and how many. The reply: where the bytes of all end, and of every segment those
of them and the members (id, score, ...) whose bits would lie there."""


def names(partition: int, workspace: str, segments: Iterable[str]) -> list[str]:
    """Both keys of every segment."""
    return [each(partition, workspace, segment) for segment in segments for each in (keys.members, keys.bits)]


def command(
    partition: int,
    workspace: str,
    include: Sequence[str],
    exclude: Sequence[str] = (),
    match: str = "any",
    after: int = 0,
    upto: int = 0,
    most: int = 1_000,
    states: bool = False,
) -> Command:
    """The call of `NEXT`, behind a number and up to another one."""
    every = [
        keys.profiles(partition, workspace),
        keys.ids(partition, workspace),
        *names(partition, workspace, (*include, *exclude)),
    ]
    return (
        "EVAL", NEXT, len(every), *every,
        len(include), match, after + 1, upto, most, int(states), BLOCK, MOST_BLOCKS,
    )  # fmt: skip


def window(bits: bytes, scored: Sequence[bytes], begin: int, size: int) -> int:
    """The members of a segment as one number, of whose bits the highest is that of the first profile of the
    window."""
    if not scored:
        return int.from_bytes(bits.ljust(size, b"\0"))
    made = bytearray(bits.ljust(size, b"\0"))
    for score in scored[1::2]:
        number = int(float(score))
        made[number // 8 - begin] |= 128 >> number % 8
    return int.from_bytes(made)


def set_bits(bits: bytes, begin: int = 0) -> Iterator[int]:
    """The places of the bits that are 1, of a string that begins at byte `begin` of a longer one."""
    for at, byte in enumerate(bits, begin):
        if byte:
            for place in _PLACES[byte]:
                yield 8 * at + place


_PLACES = [[place for place in range(8) if byte & 128 >> place] for byte in range(256)]
