"""Nobody is given a count while the store is not whole.

Suppose the store was emptied and partition 3 is made anew: a tenth of its members are there. A read that sums
them up is a wrong number that looks like a right one. So the partitions' heads are looked at after every
read, and what was read is given away only if

- no partition is being made anew (its head says so), nor was one since the look before the read;
- no partition is behind where this process has seen it: then the store was taken back, and the log is applied
  again.

A process that has just started has seen nothing; the second then shows it nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from livesegments.store import keys
from livesegments.store.client import Client
from livesegments.store.together import Command, together

P = ParamSpec("P")
T = TypeVar("T")
TRIES = 3


class Restoring(Exception):
    """A partition is not whole; `str` gives a sentence that says how far it is."""


class Heads:
    """Of all partitions. `whole` gives a read's result, and reads again if it can't be relied on."""

    def __init__(self, store: Client, partitions: int) -> None:
        self._together = together(store)
        wanted = ("restored", "restoring", "topic", "offset")
        self._commands = tuple(("HMGET", keys.head(each), *wanted) for each in range(partitions))
        self._seen: dict[int, tuple[bytes | None, int]] = {}
        self._lives: tuple[bytes | None, ...] | None = None

    async def whole(self, read: Callable[[], Awaitable[T]]) -> T:
        """Raises Restoring, and what `read` raises."""
        before = await self.lives()
        for _ in range(TRIES):
            result = await read()
            after = await self._look()
            if after == before:
                return result
            before = after
        raise anew()

    async def lives(self) -> tuple[bytes | None, ...]:
        """Who made every partition anew last, as far as this process has seen. Raises Restoring."""
        return self._lives if self._lives is not None else await self._look()

    async def read(self, *commands: Command) -> list[Any]:
        """The replies to one read's commands, in one round trip with the look after it. Raises Restoring."""
        before = await self.lives()
        for _ in range(TRIES):
            seen = dict(self._seen)
            replies = await self._together.ask(*commands, last=self._commands)
            after = self._seen_now(replies[len(commands) :], seen)
            if after == before:
                return replies[: len(commands)]
            before = after
        raise anew()

    async def _look(self) -> tuple[bytes | None, ...]:
        """Of every partition, the token of the worker that made it anew last."""
        seen = dict(self._seen)  # as of now: another look that ends earlier may have begun later
        return self._seen_now(await self._together.ask(last=self._commands), seen)

    def _seen_now(
        self, heads: Sequence[Any], seen: dict[int, tuple[bytes | None, int]]
    ) -> tuple[bytes | None, ...]:
        lives = []
        for partition, found in enumerate(heads):
            restored, restoring, topic, offset = found
            lives.append(restored)
            if restoring is not None:
                done, total = map(int, restoring.split(b" "))
                raise Restoring(
                    f"Partition {partition} is being made anew from a checkpoint: it has {done:,} of"
                    f" {total:,} profiles. Try again."
                )
            self._follow(partition, topic, int(offset or 0), *seen.get(partition, (None, 0)))
        self._lives = tuple(lives)
        return self._lives

    def _follow(
        self, partition: int, topic: bytes | None, offset: int, seen_topic: bytes | None, seen: int
    ) -> None:
        recreated = topic is not None and seen_topic is not None and topic != seen_topic
        if offset < seen and not recreated:
            raise Restoring(
                f"The store was taken back: partition {partition} has applied {offset:,} of {seen:,} records"
                " again. Try again."
            )
        newest = self._seen.get(partition, (None, 0))[1]
        self._seen[partition] = topic, offset if recreated else max(offset, newest)


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
