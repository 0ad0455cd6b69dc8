"""The native kernel, where it was built: steps of one profile, from bytes to bytes.

`event` and `clock` do what `step.on_event` and `step.on_clock` of the core do, on a stored state. What the
kernel lacks it says, and changes nothing: then the interpreted core does the step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias
from weakref import WeakValueDictionary

import msgspec
from msgspec import Struct

from livesegments.core.event import Cause, Event, Kind, Transition
from livesegments.core.plan import Plan
from livesegments.evaluator.kernel.description import SHAPE, Lacks, Name, describe

try:
    from livesegments.evaluator.kernel import _native
except ImportError:  # no toolchain was there when the environment was made
    BUILT = False
else:
    # one that was built of other sources reads another description
    BUILT = getattr(_native, "SHAPE", 0) == SHAPE

_Fields: TypeAlias = tuple[
    str, str, str, str, Kind, int, int, Cause, str | None, int, dict[str, str | int | float | bool] | None
]
_transitions = msgspec.msgpack.Decoder(list[_Fields])
_events = msgspec.msgpack.Decoder(list[Event])
_derived = msgspec.msgpack.Decoder(list[tuple[int, Event]])
_encode = msgspec.msgpack.Encoder().encode


class Stepped(Struct):
    """`state` is None where nothing changed. The others are as in `step.Step`."""

    state: bytes | None
    wake_at: int | None
    transitions: list[Transition]
    derived: list[Event]


Changed: TypeAlias = tuple[str, bytes, int | None, int | None]
"""A profile that a record changed, its state, and its due instants before and now."""
Fired: TypeAlias = tuple[bytes | None, int | None] | str
"""A state (None: nothing was due) and the next due instant; or what the kernel lacks."""


class Applied(NamedTuple):
    """`repeats` are the places of events that were repeats; `derived` come with the places of their causes.

    `given_back`: profile → what the kernel lacks. Nothing of the record is applied to it.
    """

    changed: list[Changed]
    repeats: list[int]
    transitions: list[Transition]
    derived: list[tuple[int, Event]]
    given_back: dict[str, str]


class Kernels:
    """Plans of the core in the kernel. Those that share their segments, as partitions' views of one plan do,
    share what was made of them; all that ask the core the same share what is remembered of its answers."""

    def __init__(self) -> None:
        self._plans: WeakValueDictionary[int, _Made] = WeakValueDictionary()
        self._asked: WeakValueDictionary[Name, _native.Function] = WeakValueDictionary()

    def of(self, plan: Plan) -> Kernel:
        """Raises `description.Lacks` where the plan uses what the kernel can't do."""
        made = self._plans.get(id(plan.order))
        if made is None:
            made = self._plans[id(plan.order)] = self._make(plan)
        if made.plan is None:
            raise Lacks(made.lacks)
        return Kernel(made, made.plan, plan.revision)

    def _make(self, plan: Plan) -> _Made:
        try:
            description = describe(plan)
        except Lacks as lacks:
            return _Made(plan.order, None, (), str(lacks))
        asked = list[_native.Function]()
        for name, function in description.asked.items():
            known = self._asked.get(name)
            if known is None:
                known = self._asked[name] = _native.Function(function)
            asked.append(known)
        try:
            return _Made(plan.order, _native.Plan(description.data, asked), asked)
        except NotImplementedError as error:  # numbers that it can't hold
            return _Made(plan.order, None, (), str(error))


class _Made:
    """`order` is kept so that its id stays its own."""

    def __init__(
        self, order: object, plan: _native.Plan | None, asked: Sequence[_native.Function], lacks: str = ""
    ) -> None:
        self.order = order
        self.plan = plan
        self.asked = asked
        self.lacks = lacks


class Kernel:
    """A workspace's plan in the kernel, at a revision; `plan` takes and gives bytes."""

    def __init__(self, made: _Made, plan: _native.Plan, revision: int) -> None:
        self._made = made
        self.plan = plan
        self.revision = revision

    def event(self, state: bytes, event: Event, now_ms: int) -> Stepped | str:
        """`state` is empty for a profile never seen. A text says what the kernel lacks.

        Raises ValueError where the state can't be read."""
        return _stepped(self.plan.event(self.revision, state, _encode(event), now_ms))

    def clock(self, profile: str, state: bytes, now_ms: int) -> Stepped | str:
        """`now_ms` is the profile's next due instant."""
        return _stepped(self.plan.clock(self.revision, profile, state, now_ms))

    def record(self, record: bytes, states: Mapping[str, bytes], clock_ms: int) -> Applied:
        """Applies a packed record, of which all events are of the plan's workspace. `clock_ms` is before it.

        Raises ValueError where the record can't be read, or is not of the plan's workspace."""
        changed, repeats, transitions, derived, given_back = self.plan.record(
            self.revision, record, states, clock_ms
        )
        return Applied(
            changed, repeats, _told(transitions), _derived.decode(derived), dict(given_back),
        )  # fmt: skip

    def fire(self, due: Sequence[tuple[str, bytes, int]]) -> tuple[list[Fired], list[Transition]]:
        """Brings profiles (id, state, until), each to an instant, through all that was due by then."""
        fired, transitions = self.plan.fire(self.revision, due)
        return fired, _told(transitions)


def _stepped(answer: _native.Answer | str) -> Stepped | str:
    if isinstance(answer, str):
        return answer
    state, wake_at, transitions, derived = answer
    return Stepped(state, wake_at, _told(transitions), _events.decode(derived))


def _told(transitions: bytes) -> list[Transition]:
    return [Transition(*fields) for fields in _transitions.decode(transitions)]
