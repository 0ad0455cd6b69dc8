"""The native kernel, where it was built: steps of one profile, from bytes to bytes.

`event` and `clock` do what `step.on_event` and `step.on_clock` of the core do, on a stored state. What the
kernel lacks it says, and changes nothing: then the interpreted core does the step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from weakref import WeakValueDictionary

import msgspec
from msgspec import Struct

from livesegments.core.backfill import Backfill
from livesegments.core.bounds import Refusal
from livesegments.core.event import Event, Transition
from livesegments.core.needed import all_edges
from livesegments.core.order import Order
from livesegments.core.plan import Plan, Segment, compile
from livesegments.core.wanted import History
from livesegments.evaluator.kernel.description import SHAPE, Lacks, describe
from livesegments.evaluator.kernel.pieces import Name, Pieces


class NoPanic(BaseException):
    """Nothing raises it: it stands in where there is no kernel."""


Panic: type[BaseException] = NoPanic
"""A fault of ours in the kernel, outside of a step (its module `fault`)."""
try:
    from livesegments.evaluator.kernel import _native
except ImportError:  # no toolchain was there when the environment was made
    BUILT = False
else:
    # one that was built of other sources reads another description
    BUILT = getattr(_native, "SHAPE", 0) == SHAPE
    Panic = _native.Panic if BUILT else Panic

_transitions = msgspec.msgpack.Decoder(list[Transition])
_events = msgspec.msgpack.Decoder(list[Event])
_encode = msgspec.msgpack.Encoder().encode


class Stepped(Struct):
    """`state` is None where nothing changed. The others are as in `step.Step`."""

    state: bytes | None
    wake_at: int | None
    transitions: list[Transition]
    derived: list[Event]
    refused: Refusal | None


class Kernels:
    """Plans of the core in the kernel. Those that share their segments, as partitions' views of one plan do,
    share what was made of them; all that ask the core the same share what is remembered of its answers."""

    def __init__(self) -> None:
        self._plans: WeakValueDictionary[int, Made] = WeakValueDictionary()
        self._pieces: WeakValueDictionary[str, Pieces] = WeakValueDictionary()
        self._asked: WeakValueDictionary[Name, _native.Function] = WeakValueDictionary()

    def of(self, plan: Plan) -> Kernel:
        """Raises `description.Lacks` where the plan uses what the kernel can't do."""
        made = self.made(plan)
        if made.plan is None:
            raise Lacks(made.lacks)
        return Kernel(made, made.plan, plan.revision)

    def made(self, plan: Plan) -> Made:
        """Made once, for as long as somebody keeps it."""
        made = self._plans.get(id(plan.order))
        if made is None:
            made = self._plans[id(plan.order)] = self._make(plan)
        return made

    def _make(self, plan: Plan) -> Made:
        pieces = self._pieces.get(plan.workspace)
        if pieces is None:
            pieces = self._pieces[plan.workspace] = Pieces()
        try:
            description = describe(plan, pieces)
        except Lacks as lacks:
            return Made(plan.order, pieces, None, (), str(lacks))
        asked = list[_native.Function]()
        for name, function in description.asked.items():
            known = self._asked.get(name)
            if known is None:
                known = self._asked[name] = _native.Function(function)
            asked.append(known)
        try:
            return Made(plan.order, pieces, _native.Plan(description.data, asked), asked)
        except (NotImplementedError, Panic) as error:  # numbers that it can't hold; a fault of ours
            return Made(plan.order, pieces, None, (), str(error))


class Made:
    """A plan in the kernel, whatever its revision; `plan` None: it `lacks` something. `order` is kept so that
    its id stays its own."""

    def __init__(
        self,
        order: object,
        pieces: Pieces,
        plan: _native.Plan | None,
        asked: Sequence[_native.Function],
        lacks: str = "",
    ) -> None:
        self.order = order
        self.pieces = pieces
        self.plan = plan
        self.asked = asked
        self.lacks = lacks


class Kernel:
    """A workspace's plan in the kernel, at a revision; `plan` takes and gives bytes."""

    def __init__(self, made: Made, plan: _native.Plan, revision: int) -> None:
        self.made = made
        self.plan = plan
        self.revision = revision

    def event(self, state: bytes, event: Event, now_ms: int) -> Stepped | str:
        """`state` is empty for a profile never seen. A text says what the kernel lacks.

        Raises ValueError where the state can't be read."""
        return _stepped(self.plan.event(self.revision, state, _encode(event), now_ms))

    def clock(self, profile: str, state: bytes, now_ms: int) -> Stepped | str:
        """`now_ms` is the profile's next due instant."""
        return _stepped(self.plan.clock(self.revision, profile, state, now_ms))

    def adopt(
        self, plan: Plan, profile: str, state: bytes, now_ms: int, since: Mapping[int, int], walked: int
    ) -> Stepped | str:
        """Brings a profile to the plan, which is the core's at this revision; as `step.on_plan`."""
        return _stepped(self.plan.adopt(plan, profile, state, now_ms, since, walked))

    def give(
        self, state: bytes, past: _native.Past, at: int, wish: _native.Wish, now_ms: int
    ) -> Stepped | str:
        """As `Backfill.give`, of the profile at a place of a chunk."""
        return _stepped(self.plan.give(self.revision, state, past, at, wish, now_ms))


def record(data: bytes) -> _native.Record | None:
    """A packed record; None where only the decoder can say whether it is one."""
    try:
        found = _native.Record(data)
    except ValueError:
        return None
    return found if found.plain else None


def past(data: bytes) -> _native.Past:
    """A chunk of a history (`history.columns`)."""
    return _native.Past(data)


def wish(backfill: Backfill, history: History, made: Order | None, kernels: Kernels) -> _native.Wish:
    """Whose history is wanted. `made`: the states as they could be made of it; None: whoever is given
    history may be in a segment that waits."""
    reads = {name for name, heads in history.names.items() if heads}
    if made is None:
        return _native.Wish(backfill.upto, {}, None, reads)
    edges = {fact: all_edges(backfill.plan, fact) for fact in backfill.upto}
    segments = [Segment(id_, 1, 0, node) for id_, node in made.needed.items()]
    needed = kernels.made(compile("", made.timezone, segments, 0)).plan
    return _native.Wish(backfill.upto, edges, needed, reads)


def dues(kept: int) -> _native.Dues:
    """As `commits.dues.Dues`."""
    return _native.Dues(kept)


def ledger(
    cache_bytes: int,
    dues: int,
    plans: dict[str, Plan],
    since: dict[str, Mapping[int, int]],
    walked: dict[str, int],
    kernel: Callable[[Plan], tuple[_native.Plan, int] | None],
) -> tuple[_native.Cache, _native.Dues, _native.Ledger]:
    """What a partition holds in memory, and what steps it."""
    states, due = _native.Cache(cache_bytes), _native.Dues(dues)
    return states, due, _native.Ledger(states, due, plans, since, walked, kernel)


def _stepped(answer: _native.Answer | str) -> Stepped | str:
    if isinstance(answer, str):
        return answer
    state, wake_at, transitions, derived, refused = answer
    refusal = None if refused is None else Refusal(*refused)
    return Stepped(state, wake_at, _told(transitions), _events.decode(derived), refusal)


def _told(transitions: bytes) -> list[Transition]:
    return _transitions.decode(transitions)
