"""The native kernel, where it was built: steps of one profile, from bytes to bytes.

`event` and `clock` do what `step.on_event` and `step.on_clock` of the core do, on a stored state. What the
kernel lacks it says, and changes nothing: then the interpreted core does the step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

import msgspec
from msgspec import Struct

from livesegments.core.event import Cause, Event, Kind, Transition
from livesegments.core.plan import Plan
from livesegments.evaluator.kernel.description import SHAPE, describe

try:
    from livesegments.evaluator.kernel import _native
except ImportError:  # no toolchain was there when the environment was made
    BUILT = False
else:
    # one that was built of other sources reads another description
    BUILT = getattr(_native, "SHAPE", 0) == SHAPE

_Fields: TypeAlias = tuple[str, str, str, str, Kind, int, int, Cause, str | None, int]
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


class Kernel:
    """A workspace's plan in the kernel; `plan` takes and gives bytes.

    Raises `description.Lacks` where the plan uses what the kernel can't do.
    """

    def __init__(self, plan: Plan) -> None:
        description = describe(plan)
        self.plan = _native.Plan(description.data, description.asked)

    def event(self, state: bytes, event: Event, now_ms: int) -> Stepped | str:
        """`state` is empty for a profile never seen. A text says what the kernel lacks.

        Raises ValueError where the state can't be read."""
        return _stepped(self.plan.event(state, _encode(event), now_ms))

    def clock(self, profile: str, state: bytes, now_ms: int) -> Stepped | str:
        """`now_ms` is the profile's next due instant."""
        return _stepped(self.plan.clock(profile, state, now_ms))

    def record(self, record: bytes, states: Mapping[str, bytes], clock_ms: int) -> Applied:
        """Applies a packed record, of which all events are of the plan's workspace. `clock_ms` is before it.

        Raises ValueError where the record can't be read, or is not of the plan's workspace."""
        changed, repeats, transitions, derived, given_back = self.plan.record(record, states, clock_ms)
        return Applied(
            changed, repeats, _told(transitions), _derived.decode(derived), dict(given_back),
        )  # fmt: skip

    def fire(self, due: Sequence[tuple[str, bytes, int]]) -> tuple[list[Fired], list[Transition]]:
        """Brings profiles (id, state, until), each to an instant, through all that was due by then."""
        fired, transitions = self.plan.fire(due)
        return fired, _told(transitions)


def _stepped(answer: _native.Answer | str) -> Stepped | str:
    if isinstance(answer, str):
        return answer
    state, wake_at, transitions, derived = answer
    return Stepped(state, wake_at, _told(transitions), _events.decode(derived))


def _told(transitions: bytes) -> list[Transition]:
    return [Transition(*fields) for fields in _transitions.decode(transitions)]
