"""The ports of an owner: the log, the plans, the broker, a clock. `app` has the real ones."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from livesegments.core.event import Transition
from livesegments.core.plan import Plan
from livesegments.core.staging import Staging
from livesegments.evaluator.commits.pace import Pace
from livesegments.evaluator.history.turns import Turns
from livesegments.evaluator.kernel.native import Kernels
from livesegments.history.mark import Mark, Row, Saved, Spool
from livesegments.history.protocol import (
    Chunk,
    Fields,
    Filled,
    Life,
    Of,
    Person,
    Piece,
    Pruning,
    Purged,
    Wanted,
    Written,
)
from livesegments.history.ranges import Range
from livesegments.store.shard import Shard
from livesegments.store.tail import Entry
from livesegments.wire.identities import Identity
from livesegments.wire.rejected import Rejected


class Received(NamedTuple):
    """One record of topic `events`; `stamp_ms` is its receipt by ingest.

    `unread` says why its bytes can't be had at all (module `runtime.portions`); `value` is empty then.
    """

    offset: int
    stamp_ms: int
    value: bytes
    ack: Callable[[], object]
    unread: str = ""


class Log(Protocol):
    @property
    def topic(self) -> str:
        """The identity of topic `events`: another one if it was created anew."""

    async def seek(self, partition: int, offset: int) -> int | None:
        """Go on from there; returns the offset that will really come (what lies before it is gone), or None
        if the broker is away or the partition is not ours any more: then it must be asked for again."""

    def end(self, partition: int) -> int | None:
        """The offset after the last record, as far as it is known."""


class Plans(Protocol):
    @property
    def plans(self) -> Mapping[str, Plan]: ...
    @property
    def faults(self) -> Mapping[str, str]:
        """Workspace → why its newest definitions can't be compiled: its plan is then an older one."""

    @property
    def history_days(self) -> Mapping[str, int | None]:
        """Workspace → how many days of events its archive keeps; None: as the services' setting has it."""

    @property
    def revision(self) -> int: ...
    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]: ...
    def refresh(self) -> Awaitable[None]:
        """Returns when `plans` hold every change made before the call."""

    async def staged(self, latest: Plan, staging: Staging, timezone: str) -> Plan:
        """The plan of the definitions served for now, in `timezone`, with the facts of those that wait."""


class Publisher(Protocol):
    async def publish(self, partition: int, transitions: Sequence[Transition]) -> None:
        """Returns when the broker has them all, in order; waits for it as long as that takes."""

    async def reject(self, rejected: Rejected) -> None:
        """The same, to the topic `rejected`."""

    async def hand(self, partition: int, value: bytes) -> None:
        """The same, a record of topic `events` with what a merged profile hands over."""

    async def identify(self, identity: Identity) -> None:
        """The same, to the topic `identities`."""


class History(Protocol):
    """The archive's files. Everything raises OSError while they can't be reached."""

    async def write(self, partition: int, of: Range, entries: Sequence[tuple[int, Entry]]) -> Written: ...

    async def merge(self, partition: int, parts: Sequence[Range], of: Range) -> Written: ...

    async def prune(
        self,
        partition: int,
        registered: Sequence[Range],
        persons: Sequence[Person],
        by: str,
        key: str,
    ) -> Pruning:
        """Writes every file with rows of persons anew without them; the old ones stay until they are
        removed."""

    async def retain(
        self, partition: int, registered: Sequence[Range], before: Mapping[str, int], by: str
    ) -> Pruning:
        """Writes some registered files with a workspace's events before an instant anew without them; where
        there are none, nothing is left to do. The old ones stay until they are removed."""

    async def remove(self, partition: int, ranges: Sequence[Range]) -> None: ...

    async def ranges(self, partition: int, older_s: float) -> Sequence[Range]:
        """The ranges of files that were written at least that long ago, whether or not the files count."""

    def lives(
        self,
        partition: int,
        ranges: Sequence[Range],
        entries: Sequence[tuple[int, Entry]],
        wanted: Sequence[Life],
    ) -> AsyncIterator[Piece]:
        """What profiles did up to their merges, in the order of `wanted`; one piece of each at least."""

    def spool(self) -> Spool:
        """For the rows of a checkpoint; `drop` it when they are saved."""

    async def save(self, mark: Mark, scanned: Spool, images: Spool) -> Saved:
        """A checkpoint of the rows that a scan met; `images`, of what changed meanwhile, go before."""

    async def marks(self, partition: int) -> Sequence[Mark]:
        """Those of the checkpoints that there are."""

    def load(self, mark: Mark) -> AsyncGenerator[tuple[int, list[Row]]]:
        """A checkpoint's rows in batches, each with how many there are in all. Raises FilesGone."""

    async def seek(
        self, partition: int, registered: Sequence[Range], digests: Sequence[str], key: str
    ) -> Sequence[Person]:
        """Profiles with these digests that have rows in files that are not registered."""

    async def purge(
        self, partition: int, topic: str, persons: Sequence[Person], fields: Sequence[Fields], by: str
    ) -> Sequence[Purged]:
        """Writes every checkpoint anew, without persons and with some fields of hashes; the old ones stay."""

    async def discard(self, partition: int, names: Sequence[str]) -> None:
        """Removes checkpoints."""

    async def forget(self, partition: int, older_s: float, but: Sequence[str]) -> None:
        """Removes checkpoints that were written at least that long ago, except those of some names."""

    def scan(
        self, partition: int, ranges: Sequence[Range], wanted: Wanted
    ) -> AsyncIterator[tuple[float, Sequence[Filled]]]:
        """Chunks of whole profiles in sorted order, each with the share of events done after it."""

    def pasts(self, partition: int, of: Of) -> AsyncIterator[tuple[float, Chunk]]:
        """What happened to some profiles, from files and tail; chunks as of `scan`, in order of arrival."""


class Names(Protocol):
    """The names and values that were seen in a workspace."""

    async def forget(self, workspace: str, key: str, values: Collection[str]) -> None:
        """Drops the values with these digests under a key. Raises OSError while it can't be reached."""


class Options(NamedTuple):
    """`now_ms` is the wall clock, or None in mode `log`; `wall_ms` is it in both.
    `token` gives a new one each time.

    `chunk`: how many dues, or profiles of a walk, are in one commit at most.
    `archive_after_s`, `archive_after_bytes`: the tail is archived when it is that old, or that large.
    `archive_grace_s`: how long files are kept that no register names.
    `checkpoint_every_s`: the interval between checkpoints; 0: none are taken.
    `checkpoint_images`: if more profiles change while a checkpoint is taken, it is given up.
    `erase_within_s`: an erasure is done in all files at most this long after it was asked for.
    `audits`: when profiles are counted anew to see whether they are right; None: never.
    `erasure_key`: the secret under which the ids of erased profiles become digests.
    `rewrite`: has the store's append-only file written anew, after erasures; None: that is others' to do.
    `history_days`: how many days of events the archive keeps of a workspace that doesn't say; 0: for ever.
    `partitions`: of topic `events`, all of them.
    `queue`: while so many records of a partition wait, no more are read.
    `dues`: about how many dues of a partition are held in memory.
    `outbox`: how many transitions may wait for the broker before the partition waits, too.
    `many`: transitions of a commit with so many of them let others overtake them on their way to the broker.
    `in_flight`: commits under way with the interpreted core, which does not join records that wait.
    `kernels`: the native kernel's plans, where records go to it as far as it can do them; None: it has none.
    """

    now_ms: Callable[[], int] | None
    token: Callable[[], str]
    in_flight: int
    cache_bytes: int
    grace_s: float
    archive_after_s: float = 30.0
    archive_after_bytes: int = 16 * 1024 * 1024
    archive_grace_s: float = 7 * 86_400
    checkpoint_every_s: float = 600.0
    checkpoint_images: int = 100_000
    wall_ms: Callable[[], int] = lambda: 0
    erase_within_s: float = 3_600.0
    erasure_key: str = ""
    rewrite: Callable[[], Awaitable[None]] | None = None
    history_days: int = 0
    partitions: int = 1
    chunk: int = 500
    queue: int = 64
    dues: int = 20_000
    outbox: int = 20_000
    many: int = 50
    audits: Turns | None = None
    kernels: Kernels | None = None


class Ports(NamedTuple):
    """Everything outside of an owner that it works with."""

    shard: Shard
    log: Log
    plans: Plans
    publisher: Publisher
    history: History
    options: Options
    pace: Pace
    names: Names
