"""Records of the inbound topic, accepted like HTTP's; `consume` reads them.

A record's offset is committed only once its event, or its rejection, is acknowledged. A record that
is read again after a crash has the same id again (its own, or one made of the record's place), and the
evaluator drops it. It has the same time again, too, however late it is read: a record's receipt is the
instant at which the broker took it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError

from livesegments.core.fault import Fault, shown
from livesegments.core.ids import MAX_ID
from livesegments.ingest import accept
from livesegments.ingest.access import Access
from livesegments.ingest.broker import Broker
from livesegments.ingest.count import count
from livesegments.ingest.gate import Gate
from livesegments.ingest.lists import Lists
from livesegments.ingest.log_time import LogTime
from livesegments.ingest.packer import Busy, Packer
from livesegments.ingest.receipt import MAX_TOLD, Accepted, Receipt, with_merges
from livesegments.runtime.retry import until_done
from livesegments.store.changes import NotRestored
from livesegments.wire.rejected import Rejected

LONGEST_S = 0.3
"""Pauses are short: most often we wait for room, for which requests over HTTP are waiting, too."""
WORKSPACE = "workspace"
Done = TypeVar("Done")


class Inbound:
    def __init__(
        self,
        packer: Packer,
        broker: Broker,
        access: Access,
        gate: Gate,
        now_ms: Callable[[], int],
        log: LogTime | None = None,
    ) -> None:
        self._packer = packer
        self._broker = broker
        self._access = access
        self._gate = gate
        self._now_ms = now_ms
        self._log = log

    async def take(self, records: Sequence[ConsumerRecord[Any, Any]]) -> list[ConsumerRecord[Any, Any]]:
        """Returns the records that wait, because their workspaces have sent enough for now."""
        return await self._until_kept(lambda: self._take(records))

    async def unreadable(self, source: str, why: str) -> None:
        fault = Fault("", "unreadable", f"the record can't be read, by us or by most: {why}"[:MAX_TOLD])
        rejected = Rejected(None, source, self._now_ms(), [fault], b"")

        async def reject() -> None:
            await self._broker.reject([rejected])
            count("inbound", 0, [rejected])

        await self._until_kept(reject)

    async def _until_kept(self, keep: Callable[[], Awaitable[Done]]) -> Done:
        """Again and again until it is done: a record that can't be kept now must not be passed over."""
        return await until_done(keep, Busy, KafkaError, NotRestored, OSError, longest_s=LONGEST_S)

    async def _take(self, records: Sequence[ConsumerRecord[Any, Any]]) -> list[ConsumerRecord[Any, Any]]:
        accepted: list[Accepted] = []
        rejected: list[Rejected] = []
        waiting: list[ConsumerRecord[Any, Any]] = []
        room: dict[str, float] = {}
        lists = _Lists(self._access)
        for record in records:
            workspace = workspace_of(record)
            if isinstance(workspace, str):
                if workspace not in room:
                    room[workspace] = await self._gate.room(workspace)
                if room[workspace] <= 0:
                    waiting.append(record)
                    continue
            verdict = await self._verdict(record, workspace, lists)
            if isinstance(verdict, Accepted):
                verdict = await self._with_room(verdict, record)
            if isinstance(verdict, Accepted):
                accepted.append(verdict)
                room[verdict.workspace] -= 1
            else:
                rejected.append(verdict)
        left_out = [item.left_out for item in accepted if item.left_out is not None]
        await self._packer.put(with_merges(accepted))
        await self._broker.reject([*rejected, *left_out])
        for each, events in Counter(item.workspace for item in accepted).items():
            await self._gate.took(each, events)
        count("inbound", len(accepted), rejected, left_out)
        return waiting

    async def _with_room(self, event: Accepted, record: ConsumerRecord[Any, Any]) -> Accepted | Rejected:
        """The event, or its rejection where the workspace has its quota of profiles."""
        source = f"{record.topic}/{record.partition}/{record.offset}"
        receipt = Receipt(event.workspace, received(record, self._now_ms()), source, "")
        return (await self._gate.refused(receipt, [event])).get(0, event)

    async def _verdict(
        self, record: ConsumerRecord[Any, Any], workspace: str | Fault, of: _Lists
    ) -> Accepted | Rejected:
        headers, value = headers_of(record), record.value or b""
        source = f"{record.topic}/{record.partition}/{record.offset}"
        received_ms = received(record, self._now_ms())
        if isinstance(workspace, Fault):
            return Rejected(None, source, received_ms, [workspace], value)
        if not await self._access.exists(workspace):
            fault = Fault("/workspace", "unknown_workspace", f"there is no workspace {shown(workspace)}")
            return Rejected(workspace[:MAX_ID], source, received_ms, [fault], value)
        lists = await of.get(workspace) if accept.may_name_lists(value) else None
        merge = await self._access.merges(workspace)
        declared = await self._access.declared(workspace) if accept.may_change_profiles(value) else {}
        receipt = Receipt(
            workspace, received_ms, source, default_id(record), self._log, lists, merge, declared
        )
        if self._log is None:
            return accept.inbound(headers, value, receipt)
        await self._log.is_newer()
        verdict = accept.inbound(headers, value, receipt)
        return accept.inbound(headers, value, receipt) if await self._log.is_newer() else verdict


class _Lists:
    """The lists of workspaces for one portion of records: each workspace's are looked at once.

    The records were read before that, so a list that was made before its record was sent is there."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._known: dict[str, Lists] = {}

    async def get(self, workspace: str) -> Lists:
        if workspace not in self._known:
            self._known[workspace] = await self._access.lists(workspace)
        return self._known[workspace]


def headers_of(record: ConsumerRecord[Any, Any]) -> dict[str, str]:
    return {name.lower(): (value or b"").decode(errors="replace") for name, value in record.headers}


def workspace_of(record: ConsumerRecord[Any, Any]) -> str | Fault:
    headers = headers_of(record) if record.headers else {}
    named = headers.get(WORKSPACE) or headers.get(f"ce_{WORKSPACE}")
    return named or accept.workspace_in(record.value or b"")


def received(record: ConsumerRecord[Any, Any], now_ms: int) -> int:
    """When the broker took it. A topic may keep its producers' stamps instead: never ahead of our clock."""
    return min(record.timestamp, now_ms) if record.timestamp > 0 else now_ms


def default_id(record: ConsumerRecord[Any, Any]) -> str:
    """Sorts like the offset; with the stamp, because a topic made anew counts its offsets from 0 again."""
    return f"{record.topic}/{record.partition}/{record.offset:012}/{record.timestamp}"
