"""Nobody is given a count while the store is not whole.

Suppose the store was emptied and partition 3 is made anew: a tenth of its members are there. A read that sums
them up is a wrong number that looks like a right one. So the partitions' heads are looked at after every
read, and what was read is given away only if

- no partition is being made anew (its head says so), nor was one since the look before the read;
- no partition is behind where this process, its owner, or the broker knows that it has been (module `seen`):
  then the store was taken back, and the log is applied again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from livesegments.store import keys
from livesegments.store.client import Client
from livesegments.store.seen import FIELDS, Restoring, Seen, looked, newest
from livesegments.store.together import Command, together

P = ParamSpec("P")
T = TypeVar("T")
TRIES = 3
Lives = tuple[bytes | None, ...]
"""Who made every partition anew last."""
Log = Callable[[], Awaitable[Mapping[int, int] | None]]
"""Asks the broker up to which offset the records of partitions were applied once; None: it is away."""


class Heads:
    """Of all partitions. `whole` gives a read's result, and reads again if it can't be relied on.

    `log` is asked before the first read; `expect` takes what it says later. Without it a process that has
    just started knows of no partition where it was.
    """

    def __init__(self, store: Client, partitions: int, log: Log | None = None) -> None:
        self.partitions = partitions
        self._together = together(store)
        self._commands = tuple(("HMGET", keys.head(each), *FIELDS) for each in range(partitions))
        self._log = log
        self._applied: Mapping[int, int] = {}
        self._seen = (Seen(),) * partitions
        self._heads: list[Any] = []
        self._lives: Lives | None = None

    async def whole(self, read: Callable[[], Awaitable[T]]) -> T:
        """Raises Restoring, and what `read` raises."""
        before = await self.lives()
        for _ in range(TRIES):
            result = await read()
            after = await self.look()
            if after == before:
                return result
            before = after
        raise anew()

    async def lives(self) -> Lives:
        """Who made every partition anew last, as far as this process has seen. Raises Restoring."""
        return self._lives if self._lives is not None else await self.look()

    async def read(self, *commands: Command) -> list[Any]:
        """The replies to one read's commands, in one round trip with the look after it. Raises Restoring."""
        before = await self.lives()
        for _ in range(TRIES):
            seen, applied = self._seen, self._applied
            replies = await self._together.ask(*commands, last=self._commands)
            after = self._relied(replies[len(commands) :], seen, applied)
            if after == before:
                return replies[: len(commands)]
            before = after
        raise anew()

    async def look(self) -> Lives:
        """Of every partition, the token of the worker that made it anew last. Raises Restoring."""
        if self._lives is None and not self._applied and self._log is not None:
            self.expect(await self._log())
        seen, applied = self._seen, self._applied  # as of now: what comes meanwhile may be of later
        return self._relied(await self._together.ask(last=self._commands), seen, applied)

    def expect(self, applied: Mapping[int, int] | None) -> None:
        """What the broker knows now."""
        if applied is not None and applied != self._applied:
            self._applied = applied
            self._heads = []

    def _relied(self, heads: list[Any], seen: Sequence[Seen], applied: Mapping[int, int]) -> Lives:
        """`seen` and `applied`: as of before the heads were read."""
        if heads == self._heads and self._lives is not None:
            return self._lives  # what was relied on before
        last = self._heads or [None] * self.partitions
        kept = list(self._seen)
        for partition, head in enumerate(heads):
            if head != last[partition]:
                now = looked(partition, head, seen[partition], applied.get(partition, 0))
                kept[partition] = newest(now, kept[partition])
                if kept[partition] is not now:
                    heads = [*heads[:partition], None, *heads[partition + 1 :]]
        self._seen, self._heads = tuple(kept), heads if applied is self._applied else []
        self._lives = tuple(each.restored for each in kept)
        return self._lives


def anew() -> Restoring:
    return Restoring("The store was made anew just now. Try again.")


class _Reader(Protocol):
    heads: Heads


R = TypeVar("R", bound=_Reader)


def whole(
    read: Callable[Concatenate[R, P], Awaitable[T]],
) -> Callable[Concatenate[R, P], Coroutine[Any, Any, T]]:
    """Of a method that reads what partitions have: it also raises Restoring."""

    @wraps(read)
    async def checked(self: R, /, *args: P.args, **options: P.kwargs) -> T:
        return await self.heads.whole(lambda: read(self, *args, **options))

    return checked
