"""A person is all of its ids: from the erasure of one follow those of the others.

Example: `anonymous:7f` went into `ann`, and `ann` is erased. Her state names `anonymous:7f`, so the commit of
her erasure leaves an item in `{p}:handing`, by which a request for `anonymous:7f` comes into the log of that
one's partition. The erasure there finds its way to the others in the same manner. One that has been erased
has no state, and names nobody: so this ends, also where profiles went into each other in a ring.

A merge that was under way is heard of later: what is handed over to a profile that is kept out says which ids
it comes from, and they follow. So do those that are merged after the erasure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from livesegments.core.kin import relatives
from livesegments.core.profile import decode
from livesegments.store import keys
from livesegments.store.commit import Commit
from livesegments.store.handing import Back, Forget, Item
from livesegments.store.shard import Shard
from livesegments.wire.profilekey import ProfileKey, split
from livesegments.wire.suppressed import digest
from livesegments.wire.topics import partition_of


class Pursuit(Struct):
    """What a commit gets for those that follow."""

    items: Sequence[Item]
    write: Callable[[Commit], None]


class Others(Struct):
    """Of a profile: the ids that it was merged with, and the fields of `{p}:merged` that name some of them.
    `gone`: it has gone into one of them."""

    ids: Sequence[str]
    fields: Sequence[str]
    gone: bool

    def items(self, key: ProfileKey, at_once: bool, root: str) -> list[Item]:
        workspace, profile = split(key)
        items: list[Item] = [Back(workspace, profile)] if self.gone else []
        if self.ids:
            items.append(Forget(workspace, self.ids, at_once, root))
        return items


async def others_of(key: ProfileKey, state: bytes, number: int, shard: Shard) -> Others:
    """`state` is empty where there is none."""
    profile = decode(state) if state else None
    ids = dict.fromkeys(relatives(None if profile is None else profile.kin))
    named = f"{key}\0"
    fields = [each for each in await shard.fields(keys.merged(number)) if each.startswith(named)]
    ids |= dict.fromkeys(each.removeprefix(named) for each in fields)
    return Others(list(ids), fields, profile is not None and profile.gone)


def digests(key: str, workspace: str, ids: Iterable[str], partitions: int) -> dict[str, tuple[int, str]]:
    """Of ids: (partition, digest) of each, under the installation's key."""
    return {each: (partition_of(workspace, each, partitions), digest(key, workspace, each)) for each in ids}
