"""Arguments of a command, and whole commands, that are the protocol's bytes already.

The native kernel writes the states of a commit as `$3 CR LF ada CR LF $412 CR LF …`. The driver would make
the same of Python's objects, one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias, overload

import hiredis

Plain: TypeAlias = str | bytes | int | float
Argument: TypeAlias = "Plain | Encoded | Ready"


class Encoded(Sequence[Plain]):
    """`count` arguments in `data`; whoever looks at one reads all of them."""

    __slots__ = ("_count", "data")

    def __init__(self, count: int, data: bytes) -> None:
        self._count = count
        self.data = data

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Plain]:
        at, data = 0, self.data
        for _ in range(self._count):
            start = data.index(b"\r\n", at) + 2
            at = start + int(data[at + 1 : start - 2])
            yield data[start:at]
            at += 2

    @overload
    def __getitem__(self, at: int) -> Plain: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Plain]: ...
    def __getitem__(self, at: int | slice) -> Plain | Sequence[Plain]:
        return list(self)[at]


class Ready:
    """A whole command, encoded."""

    __slots__ = ("data",)

    def __init__(self, command: Sequence[Argument]) -> None:
        parts, plain, count = [b""], list[Plain](), 0
        for each in command:
            if isinstance(each, Encoded):
                parts += (_encoded(plain), each.data)
                plain = []
                count += len(each)
            elif not isinstance(each, Ready):
                plain.append(each)
                count += 1
        parts[0] = b"*%d\r\n" % count
        parts.append(_encoded(plain))
        self.data = b"".join(parts)


def packed(command: Sequence[Argument]) -> bytes:
    """What goes over the wire for a command."""
    first = command[0]
    if isinstance(first, Ready):
        return first.data
    data: bytes = hiredis.pack_command(tuple(command))  # type: ignore[arg-type]
    return data


def _encoded(arguments: list[Plain]) -> bytes:
    if not arguments:
        return b""
    command = packed(arguments)
    return command[command.index(b"\r\n") + 2 :]
