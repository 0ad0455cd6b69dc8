"""Who is erased goes from what notify keeps: dead letters, entries that wait for their dwell, and cool-downs.

Example: ann is erased, who is in no segment any more. A dead letter of last week tells that she entered
`vip`, and a cool-down of 30 days is kept of it. As soon as a partition says that it keeps her out, both go. A
message of several people stays, without her.

What still waits for its receiver goes there: her exits are among it, which receivers need to erase her, too.
If it is given up, the dead letter doesn't name her (`Courier`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial

import msgspec
import structlog
from msgspec.structs import replace

from livesegments.runtime.retry import until_done
from livesegments.store.client import Away
from livesegments.store.lanes import Lanes
from livesegments.store.suppressions import Suppressions
from livesegments.wire.attempt import Dead

LOOK_S = 1.0
AGAIN_S = 600.0
"""Lanes are looked through again at this interval: one that is behind may have read of somebody since."""

_log = structlog.get_logger(__name__)
_dead = msgspec.json.Decoder(Dead)
_encode = msgspec.json.Encoder().encode


class Forgetting:
    """`tokens()`: the partitions that this worker has, and under which token."""

    def __init__(self, store: Lanes, erased: Suppressions, tokens: Callable[[], Mapping[int, str]]) -> None:
        self._store, self._erased, self._tokens = store, erased, tokens
        self._done: dict[int, tuple[object, float]] = {}
        """Partition → its token and what was known of erasures when it was looked through, and when."""

    async def run(self) -> None:
        """Never returns."""
        while True:
            await until_done(self.look, Away)
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Looks through the partitions for which something has changed. Raises Away."""
        await self._erased.refresh()
        if self._erased.nobody:
            return
        now_s, tokens = asyncio.get_running_loop().time(), self._tokens()
        for partition, token in tokens.items():
            known = token, self._erased.changed(partition)
            before, at_s = self._done.get(partition, (None, 0.0))
            if before == known and now_s - at_s < AGAIN_S:
                continue
            for workspace, id_ in await self._store.lanes(partition):
                await self._dead_letters(partition, token, workspace, id_)
                await self._stays(partition, token, workspace, id_)
            self._done[partition] = known, now_s

    async def _dead_letters(self, partition: int, token: str, workspace: str, id_: str) -> None:
        changed: list[tuple[bytes, bytes | None]] = []
        for data in await self._store.dead_of(partition, workspace, id_):
            letter = _dead.decode(data)
            left = [each for each in letter.transitions if not self._erased.has(workspace, each.profile)]
            if len(left) < len(letter.transitions):
                changed.append((data, _encode(replace(letter, transitions=left)) if left else None))
        if changed:
            await self._store.change_dead(partition, workspace, id_, token, changed)
            _log.info("dead letters forget who is erased", subscription=id_, letters=len(changed))

    async def _stays(self, partition: int, token: str, workspace: str, id_: str) -> None:
        async for page in self._store.stay_keys(partition, workspace, id_):
            gone = [key for key in page if self._erased.has(workspace, key.partition("\0")[2])]
            if gone:
                drop = partial(self._store.drop_stays, partition, workspace, id_, token, gone)
                await until_done(drop, Away)
