"""The results of accepting, an event ready for its partition or a rejection, and the rules of time and ids.

Pure. Raw bytes come in with a `Receipt` (who sent them and when); nothing raises, whatever the bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct

from livesegments.core.declared import Declarations
from livesegments.core.event import MERGE, RETRACT, Event
from livesegments.core.fault import Fault, Faults, kind_name
from livesegments.core.ids import is_id
from livesegments.core.window import parse_date
from livesegments.ingest.lists import Lists
from livesegments.ingest.log_time import LogTime
from livesegments.wire.rejected import Rejected

MAX_EVENT_BYTES = 32 * 1024
MAX_BATCH_BYTES = 500 * 1024
MAX_AHEAD_MS = 5 * 60_000
"""A stamp up to this far ahead of our clock is set back to the receipt; one further ahead is refused."""
LEAST_MS = 100_000_000_000
"""A stamp in figures below it (March 1973) is one in seconds: it would put the event where nobody looks."""
END_MS = 253_402_300_800_000
"""The first instant of the year 10000, which no stamp reaches."""

MAX_FAULTS = 100
MAX_TOLD = 256
"""Faults told of one item, characters of each one's pointer and message: all of it, escaped and told twice,
has to fit into one record of `rejected` with the event's raw bytes."""

KNOWN_LENGTH = 40
"""Characters of a stamp that is remembered."""

_encoder = msgspec.msgpack.Encoder()


class Receipt(Struct, frozen=True):
    """`source` is where the bytes came from; `default_id` the id of an event that brings none.

    Events without stamps have the time of their receipt, and events of one time are ordered by id: so default
    ids sort, as text, in the order in which the events came.
    `log`: clock mode `log` takes stamps as they are, see there. `lists`: the segments that `lists` may name;
    None where nobody looked, because the bytes that came don't hold `lists`. `merge`: profiles are merged.
    `declared`: the types of attributes by which their values are read.
    """

    workspace: str
    received_ms: int
    source: str
    default_id: str
    log: LogTime | None = None
    lists: Lists | None = None
    merge: bool = False
    declared: Declarations = {}

    def of_item(self, index: int) -> Receipt:
        id_ = f"{self.default_id}:{index:06}"
        return Receipt(
            self.workspace,
            self.received_ms,
            self.source,
            id_,
            self.log,
            self.lists,
            self.merge,
            self.declared,
        )


class Accepted(Struct, frozen=True):
    """`data` is the event in msgpack, as it stands in a packed record.

    `left_out` are the odd parts of a change whose other parts are accepted. `merges` follow from it: by them
    other profiles go into this one.
    """

    workspace: str
    profile: str
    data: bytes
    left_out: Rejected | None = None
    merges: Sequence[Accepted] = ()


Verdict = Accepted | Rejected


def finish(
    faults: Faults, receipt: Receipt, profile: str | None, id_: str | None, name: str | None,
    time_ms: int | None, properties: dict[str, Any] | None, raw: bytes, left_out: Rejected | None = None,
) -> Verdict:  # fmt: skip
    """The event if there is no fault and it can be written down, else the rejection."""
    if not faults.found:
        assert profile is not None and id_ is not None and name is not None and time_ms is not None
        event = Event(id_, receipt.workspace, profile, name, time_ms, properties or {})
        try:
            data = _encoder.encode(event)
        except OverflowError:
            faults.add("", "out_of_range", "whole numbers have at most 64 bits")
        except UnicodeEncodeError:
            faults.add("", "bad_character", "text must not contain lone surrogates")
        else:
            if receipt.log is not None:
                receipt.log.accepted(time_ms)
            return Accepted(receipt.workspace, profile, data, left_out)
    return reject(receipt, faults.found, raw)


def merge(verdict: Accepted, old: str, id_: str, time_ms: int) -> Accepted:
    """By this the profile `old` goes into that of an accepted event, whose id it has."""
    event = Event(id_, verdict.workspace, old, MERGE, time_ms, {"into": verdict.profile})
    return Accepted(verdict.workspace, old, _encoder.encode(event))


def with_merges(accepted: Sequence[Accepted]) -> Sequence[Accepted]:
    """Each followed by the merges that follow from it."""
    if not any(each.merges for each in accepted):
        return accepted
    return [event for each in accepted for event in (each, *each.merges)]


def reject(receipt: Receipt, faults: Sequence[Fault], raw: bytes, partial: bool = False) -> Rejected:
    if len(faults) > MAX_FAULTS:
        more = Fault("", "more_faults", f"and {len(faults) - MAX_FAULTS} more")
        faults = [*faults[:MAX_FAULTS], more]
    told = [Fault(f.pointer[:MAX_TOLD], f.code, f.message[:MAX_TOLD]) for f in faults]
    return Rejected(receipt.workspace, receipt.source, receipt.received_ms, told, raw, partial=partial)


def identifier(faults: Faults, value: Any, at: str) -> str | None:
    """An id or a name, see `core.ids`."""
    if type(value) is str and is_id(value):
        return value
    return faults.name(value, at)


def event_name(faults: Faults, value: Any, at: str) -> str | None:
    read = identifier(faults, value, at)
    if read is not None and read.startswith("$") and read != RETRACT:
        faults.add(at, "reserved_name", f"{read!r}: names that begin with $ are ours; send it without")
        return None
    return read


def properties_of(faults: Faults, value: Any, at: str) -> dict[str, Any] | None:
    """An object; null or nothing is an empty one."""
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    faults.add(at, "wrong_type", f"must be an object, not {kind_name(value)}")
    return None


def content(faults: Faults, name: str | None, value: Any, at: str) -> dict[str, Any] | None:
    """The properties of an event; those of `$retract` say which event of the profile is taken back."""
    read = properties_of(faults, value, at)
    if name != RETRACT or read is None:
        return read
    if "event_id" not in read:
        faults.add(f"{at}/event_id", "missing_field", "$retract needs 'event_id': the event to take back")
        return None
    given = read["event_id"]
    id_ = identifier(faults, str(given) if type(given) is int else given, f"{at}/event_id")
    return None if id_ is None else {**read, "event_id": id_}


def instant(faults: Faults, value: Any, at: str) -> int | None:
    """ISO 8601 (without an offset: UTC) or ms since 1970."""
    if isinstance(value, str):
        read = _date(value) if len(value) <= KNOWN_LENGTH else parse_date(value, UTC)
        if read is None:
            faults.add(at, "bad_date", f"{value[:40]!r} is not an ISO 8601 time such as 2022-07-01T12:00:00Z")
            return None
    elif isinstance(value, int) and not isinstance(value, bool):
        if 0 <= value < LEAST_MS:
            faults.add(at, "out_of_range", f"{value} looks like seconds: send milliseconds, or ISO 8601")
            return None
        read = value
    else:
        told = kind_name(value)
        wanted = "an ISO 8601 time or whole milliseconds since 1970 without a point"
        faults.add(at, "wrong_type", f"must be {wanted}, not {told}")
        return None
    if not 0 <= read < END_MS:
        faults.add(at, "out_of_range", "must lie between the years 1970 and 9999")
        return None
    return read


@lru_cache(1_024)
def _date(text: str) -> int | None:
    """A batch has one `sentAt`, and often a few stamps: each is read once."""
    return parse_date(text, UTC)


def stamp(faults: Faults, receipt: Receipt, time_ms: int | None, at: str, moved: str = "") -> int | None:
    """The event's time: its stamp, or the receipt; see `MAX_AHEAD_MS`, and `log_time`.

    `moved` says what else than the stamp itself decided the time.
    """
    if receipt.log is not None:
        if time_ms is None:
            faults.add(at, "missing_stamp", "is missing: in clock mode 'log' every event needs its time")
        elif receipt.log.is_beyond(time_ms):
            days = receipt.log.ahead_ms / 86_400_000
            told = f"lies more than {days:g} days beyond the log's newest: is it right? Move the clock first"
            faults.add(at, "beyond_log", told)
        return time_ms
    if time_ms is None:
        return receipt.received_ms
    if time_ms <= receipt.received_ms:
        return time_ms
    if time_ms <= receipt.received_ms + MAX_AHEAD_MS:
        return receipt.received_ms
    faults.add(at, "in_future", f"lies more than 5 minutes ahead of our clock{moved}")
    return None
