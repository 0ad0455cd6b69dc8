"""Where the members of a partition's segments lie, and the numbers of its profiles.

Example: ada is the 4,711th profile of workspace w in this partition, so her number is 4,711 as long as she is
there. She enters two segments. One has few members: it is a sorted set, in which ada has the score 4,711. The
other one has many: it is a string of bits, of which the one at 4,711 is set.

Both forms have one order, by the numbers, and no number is given twice. So a page goes on behind the number
of its last member, whatever others come and go, and whatever form the segment takes meanwhile (decision 52).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from livesegments.store import keys
from livesegments.store.commit import Commit

FEW = 128
"""Up to so many members of a sorted set lie in one block of Redis (`zset-max-listpack-entries`)."""
BITS = 8 * 76
"""A member of a larger one takes 76 bytes; a string of bits takes one bit for every number that was given."""
BACK = 4
"""A string of bits becomes a sorted set again where it takes so many times as much."""


class Numbering(Protocol):
    """Of the native kernel, which numbers profiles, too."""

    def number(self, workspace: str) -> int: ...

    def last_number(self, workspace: str) -> int: ...

    def set_last_number(self, workspace: str, number: int) -> None: ...

    def set_dense(self, workspace: str, segment: str, dense: bool) -> None: ...


class Sets:
    """`numbered`: workspaces in which numbers are given by the commit in the making. `dense`: (workspace,
    segment) of those that are strings of bits. `moved`: those that somebody entered or exited since they were
    looked at (module `condensing`), the longest ago first."""

    def __init__(self, partition: int, kernel: Numbering | None) -> None:
        self._partition = partition
        self._kernel = kernel
        self._last: dict[str, int] = {}
        self._new: dict[str, dict[int, str]] = {}
        self.numbered: set[str] = set()
        self.dense: set[tuple[str, str]] = set()
        self.moved: dict[tuple[str, str], None] = {}

    def load(self, numbers: Mapping[str, bytes], dense: Iterable[str]) -> None:
        """What is stored under `{p}:numbers` and `{p}:dense`."""
        for workspace, last in numbers.items():
            self._last[workspace] = int(last)
            if self._kernel is not None:
                self._kernel.set_last_number(workspace, int(last))
        for each in dense:
            workspace, _, segment = each.partition("\0")
            self.turn(workspace, segment, dense=True)

    def turn(self, workspace: str, segment: str, dense: bool) -> None:
        if dense:
            self.dense.add((workspace, segment))
        else:
            self.dense.discard((workspace, segment))
        if self._kernel is not None:
            self._kernel.set_dense(workspace, segment, dense)

    # -- numbers

    def number(self, workspace: str, id_: str) -> int:
        """The next number, for a profile that is stored by the commit in the making."""
        if self._kernel is not None:
            number = self._kernel.number(workspace)
        else:
            number = self._last[workspace] = self._last.get(workspace, 0) + 1
        self._new.setdefault(workspace, {})[number] = id_
        self.numbered.add(workspace)
        return number

    def last(self, workspace: str) -> int:
        """The last number that was given."""
        return self._last.get(workspace, 0) if self._kernel is None else self._kernel.last_number(workspace)

    def forget(self) -> None:
        """The numbers of a commit that comes to nothing are not given again."""
        self._new = {}
        self.numbered.clear()

    def write_new(self, commit: Commit) -> None:
        for workspace, ids in self._new.items():
            commit.put_fields(
                keys.ids(self._partition, workspace), {str(each): id_ for each, id_ in ids.items()}
            )
        if self.numbered:
            last = {each: str(self.last(each)) for each in sorted(self.numbered)}
            commit.put_fields(keys.numbers(self._partition), last)
        self.forget()

    # -- members

    def write(
        self, commit: Commit, workspace: str, segment: str, moves: Mapping[str, tuple[int, bool]]
    ) -> None:
        """Puts profiles in or takes them out: id → its number, and whether it is in."""
        partition = self._partition
        self.moved[workspace, segment] = None
        if (workspace, segment) in self.dense:
            commit.set_bits(keys.bits(partition, workspace, segment), dict(moves.values()))
            return
        key = keys.members(partition, workspace, segment)
        entered = {id_: number for id_, (number, is_in) in moves.items() if is_in}
        if entered:
            commit.score(key, entered)
        if len(entered) < len(moves):
            commit.unscore(key, [id_ for id_, (_, is_in) in moves.items() if not is_in])


def is_better_dense(count: int, last_number: int) -> bool:
    """Whether a sorted set of `count` members had better be bits."""
    return count > FEW and count * BITS > last_number


def is_better_sparse(count: int, last_number: int) -> bool:
    """Whether bits of `count` members had better be a sorted set."""
    return count <= FEW // 2 or count * BITS * BACK < last_number
