"""Whether a partition's head can be relied on, by what has been seen of it before. Pure.

Example: a process has seen the head after commit 90 of a claim, with offset 1,000. Later it sees commit 70 of
the same claim: the store was taken back to an old snapshot, and nobody has noticed yet. Then a new claim,
with offset 700: its owner applies the log again, and 300 records are still to come. Only from offset 1,000 on
is the partition again what it was.

A claim's instant never goes back (the script that claims sees to that), and within a claim the commits'
numbers only grow. So (instant, number) tells an older head from a newer one. A new claim may have lower
numbers: then the offset alone says how far the partition is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from livesegments.core.states import STATES

FIELDS = ("restored", "restoring", "topic", "offset", "claimed", "commit", "upto", "again", "states")
"""Of the head (module `keys`), in this order."""


_STATES = str(STATES).encode()


class Restoring(Exception):
    """A partition is not whole; `str` gives a sentence that says how far it is."""


class Seen(NamedTuple):
    """What one head had. `offset`: the next record to apply; `claim`: the instant (ms) of the claim, and the
    number of its last commit."""

    restored: bytes | None = None
    topic: bytes | None = None
    offset: int = 0
    claim: tuple[int, int] = (0, 0)


def looked(partition: int, head: Sequence[bytes | None], before: Seen, log: int) -> Seen:
    """`log`: the offset up to which the broker knows that records were applied once; 0: it knows nothing.

    Raises Restoring.
    """
    restored, restoring, topic, offset, claimed, commit, upto, again, states = head
    if commit is not None and states != _STATES:
        raise Restoring(
            f"Partition {partition} was stored by another version of livesegments, and no evaluator of this"
            " one has made it anew yet. Where its log says that it can't, docs/recovery.md says what to do."
        )
    if restoring is not None:
        raise Restoring(_anew(partition, *map(int, restoring.split(b" "))))
    now = Seen(restored, topic, int(offset or 0), (int(claimed or 0), int(commit or 0)))
    reached = max(int(upto or 0), log)
    if topic is None or before.topic is None or topic == before.topic:
        reached = max(reached, before.offset)
    if now.offset < reached:
        raise Restoring(
            f"The store was taken back: partition {partition} has applied {now.offset:,} of {reached:,}"
            " records again. Try again."
        )
    if again is not None:
        raise Restoring(
            f"The store was taken back: partition {partition} has applied all records again, and still makes"
            " segments anew. Try again."
        )
    if now.claim < before.claim:
        raise Restoring(
            f"The store was taken back, and no evaluator has claimed partition {partition} since. Try again."
        )
    return now


def newest(one: Seen, other: Seen) -> Seen:
    """Of two that were relied on, by looks that ended in another order than they began."""
    if one.topic != other.topic:
        return one if one.claim >= other.claim else other
    return one if (one.claim, one.offset) >= (other.claim, other.offset) else other


def _anew(partition: int, done: int, total: int) -> str:
    if not total:
        return f"Partition {partition} is being made anew: its newest checkpoint is looked for. Try again."
    return (
        f"Partition {partition} is being made anew from a checkpoint: it has {done:,} of {total:,} profiles."
        " Try again."
    )
