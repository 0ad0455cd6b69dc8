"""The native kernel's share of a partition: the states and due times in memory, and what it does with them.

Example: of a record of 500 events of 300 profiles the kernel leaves two profiles, one of them because it is
at an older plan. The states of the other 298 go into the commit as bytes, and the events of the two are
applied by the interpreted core, as if the record had no others.

A profile is either's: what the interpreted core touches is its own until the commit ends (`take`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import structlog

from livesegments.core.bounds import Refusal
from livesegments.core.event import Transition
from livesegments.core.plan import Plan
from livesegments.evaluator.commits.outcome import Tally
from livesegments.evaluator.commits.sets import Sets
from livesegments.evaluator.kernel import native
from livesegments.evaluator.kernel.unread import Unread
from livesegments.history.columns import Columns
from livesegments.runtime import metrics
from livesegments.store import keys
from livesegments.store.commit import Commit
from livesegments.store.encoded import Encoded
from livesegments.store.handing import Leaving
from livesegments.store.tail import Derived
from livesegments.store.told import Told
from livesegments.wire.profilekey import ProfileKey, split

if TYPE_CHECKING:
    from livesegments.evaluator.kernel import _native

_log = structlog.get_logger(__name__)
_derived = msgspec.msgpack.Decoder(list[Derived])
_encode = msgspec.msgpack.Encoder().encode
MOST = 2**62


class Left(NamedTuple):
    """The clock after a record, and the places of the events that are left to the interpreted core, with the
    clock at each. `retracted`: profiles with a retraction to be carried out; `leaving`: those that were
    merged."""

    clock_ms: int
    places: list[tuple[int, int]]
    retracted: list[ProfileKey]
    leaving: list[Leaving]


class Share:
    """Of one partition, which has `plans`, `since` and `walked`.

    `cache` and `dues` are as `commits.cache` and `commits.dues`."""

    def __init__(
        self,
        number: int,
        kernels: native.Kernels,
        plans: dict[str, Plan],
        since: dict[str, Mapping[int, int]],
        walked: dict[str, int],
        cache_bytes: int,
        dues: int,
    ) -> None:
        self._number = number
        self._kernels = kernels
        self._plans = plans
        self._made: dict[str, native.Made] = {}
        self.cache, self.dues, self._ledger = native.ledger(
            cache_bytes, dues, plans, since, walked, self._kernel
        )
        self._past: tuple[bytes, _native.Past] | None = None
        self.take = self._ledger.take
        self.release = self._ledger.release
        self.undo = self._ledger.undo
        self.changed = self._ledger.changed
        self.number = self._ledger.number
        self.last_number = self._ledger.last_number
        self.set_last_number = self._ledger.set_last_number
        self.set_dense = self._ledger.set_dense
        self.fire = self._ledger.fire
        self.walk = self._ledger.walk
        self.concerned = self._ledger.concerned

    @staticmethod
    def read(record: bytes) -> Unread | None:
        """The events of a packed record; None where the decoder has to look at it."""
        found = native.record(record)
        return None if found is None else Unread(found, record)

    def apply(
        self,
        events: Unread,
        clock_ms: int,
        keeps_out: Callable[[ProfileKey], bool] | None,
        tally: Tally,
        commit: int,
    ) -> Left | None:
        """Applies a record from the clock's instant on; the states must be cached. Other profiles' due times
        are for the caller to fire. None: nothing was done.

        `keeps_out` says of a profile never seen whether it was erased and is kept out, and so is left; None:
        nobody is. `commit` is the number of the one in the making.
        """
        try:
            applied = self._ledger.apply(events.record, clock_ms, keeps_out, commit, tally.stamps)
        except ValueError as error:
            _log.warning("a record is left to the interpreted core", error=str(error))
            return None
        clock_ms, repeats, idle, unknown, left, derived, refused, retracted, leaving = applied
        tally.left_out += repeats
        tally.left_out += idle
        tally.duplicates += len(repeats)
        for place, refusal in refused:
            tally.refuse(place, events[place], Refusal(*refusal))
        for place in unknown:
            tally.leave_unknown(place)
        tally.derived += _derived.decode(derived)
        metrics.NATIVE.inc(len(events) - len(left) - len(unknown))
        gone = [
            Leaving(*split(key), into, merge, sent, history, seen)
            for key, into, merge, sent, history, seen in leaving
        ]
        return Left(clock_ms, left, retracted, gone)

    def fill(
        self,
        workspace: str,
        wish: _native.Wish,
        history: Columns,
        stored: Mapping[ProfileKey, bytes | None],
        erased: Iterable[ProfileKey],
        now_ms: int,
    ) -> tuple[int, Sequence[int]]:
        """Gives profiles their history. How many, and the places of those that are left to the interpreted
        core: a metric says why. `stored` has those that are not cached."""
        if self._past is None or self._past[0] is not history.data:
            self._past = history.data, native.past(history.data)
        count, left = self._ledger.fill(
            workspace, wish, self._past[1], history.first, history.end, stored, set(erased), now_ms
        )
        metrics.FILLED.inc(history.end - history.first - len(left))
        for _, why in left:
            metrics.FILLED_LEFT.labels(why).inc()
        return count, [at - history.first for at, _ in left]

    def write(
        self, commit: Commit, sets: Sets, told: Sequence[Transition], clock_ms: int
    ) -> tuple[Told, int]:
        """Ends the kernel's share of the commit, at the clock's instant: writes it, and all due instants.

        `told` are the interpreted core's transitions. All of them are returned, those of the kernel first.
        The number is the length of the first state that was written, 0 if there is none.
        """
        writes, count, transitions, first = self._ledger.seal(clock_ms)
        for command, of, workspace, segment, number, arguments in writes:
            commit.put_encoded(command, self._key(of, workspace, segment), Encoded(number, arguments))
            if segment:
                sets.moved[workspace, segment] = None
            elif of == "ids":
                sets.numbered.add(workspace)
        if not count:
            return Told.of(told), first
        encoded = _array(count + len(told)) + transitions + b"".join(map(_encode, told))
        return Told([encoded], count + len(told)), first

    def _key(self, of: str, workspace: str, segment: str) -> str:
        if of == "profiles":
            return keys.profiles(self._number, workspace)
        if of == "due":
            return keys.due(self._number)
        if of == "ids":
            return keys.ids(self._number, workspace)
        name = keys.bits if of == "bits" else keys.members
        return name(self._number, workspace, segment)

    def _kernel(self, plan: Plan) -> tuple[Any, int] | None:
        """The kernel's plan and its revision; None: the interpreted core serves it."""
        if len(self._made) > 2 * len(self._plans):
            self._made = {id_: made for id_, made in self._made.items() if id_ in self._plans}
        made = self._made[plan.workspace] = self._kernels.made(plan)
        if made.plan is None:
            _log.info("the interpreted core serves", workspace=plan.workspace, lacks=made.lacks)
            return None
        return made.plan, plan.revision


def _array(count: int) -> bytes:
    """The head of an array in msgpack."""
    if count < 16:
        return bytes((0x90 | count,))
    return b"\xdc" + count.to_bytes(2, "big") if count < 1 << 16 else b"\xdd" + count.to_bytes(4, "big")
