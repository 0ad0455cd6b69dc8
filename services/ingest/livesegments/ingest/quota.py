"""Who may send how much. Pure: instants are arguments, and the answers are so many seconds to wait.

A workspace with a quota of 100 events/s may send 200 at once and 100 in each second after. A request is let
in while anything is left, however many events it has, and what it takes too much is paid back before the
next one: so no request is accepted in part.

Where the evaluators do not keep up, the workspace that sends more than `NOISY` times what the others send on
average has to wait, and only that one. The evaluators do not keep up with a partition while they apply
records of it, but not yet those that it had `BEHIND_S` ago. A partition in which nothing is applied is one
without an evaluator: the topic keeps its events, and nobody has to wait.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

BURST_S = 2.0
"""So many seconds of a quota may be sent at once."""
NOISY = 4.0
HALF_LIFE_S = 2.0
"""Of what was sent so long ago, half counts."""
FORGOTTEN = 0.5
"""A workspace that sent less than that lately is no neighbour."""
WAIT_S = 1.0
"""Who saturates a partition comes back after so long."""
BEHIND_S = 2.0


class Buckets:
    """What is left of each workspace's quota of events; full where nothing is known."""

    def __init__(self) -> None:
        self._left: dict[str, tuple[float, float, float]] = {}

    def wait_s(self, workspace: str, per_s: float, now_s: float) -> float:
        """How long until a request may come; 0: it may."""
        left = self.left(workspace, per_s, now_s)
        return 0.0 if left > 0 else (1 - left) / per_s

    def left(self, workspace: str, per_s: float, now_s: float) -> float:
        """How many events may come; the last may come whole, though there is only a part of it."""
        most = _most(per_s)
        at_s, left, _ = self._left.get(workspace, (now_s, most, per_s))
        return min(most, left + per_s * (now_s - at_s))

    def take(self, workspace: str, events: int, per_s: float, now_s: float) -> None:
        self._left[workspace] = now_s, self.left(workspace, per_s, now_s) - events, per_s

    def forget(self, now_s: float) -> None:
        """Those that are full again."""
        left = self._left
        self._left = {
            each: left[each]
            for each, (_, _, per_s) in left.items()
            if self.left(each, per_s, now_s) < _most(per_s)
        }


def _most(per_s: float) -> float:
    return max(1.0, per_s * BURST_S)


class Shares:
    """How much each workspace sent lately. Those that are silent are forgotten by `forget`."""

    def __init__(self) -> None:
        self._sent: dict[str, tuple[float, float]] = {}

    def sent(self, workspace: str, events: int, now_s: float) -> None:
        self._sent[workspace] = now_s, self._at(workspace, now_s) + events

    def noisiest(self, now_s: float) -> str | None:
        """The one that sends far more than its neighbours do on average; None if there is none such."""
        amounts = {workspace: self._at(workspace, now_s) for workspace in self._sent}
        heard = {workspace: amount for workspace, amount in amounts.items() if amount >= FORGOTTEN}
        self._sent = {workspace: self._sent[workspace] for workspace in heard}
        if len(heard) < 2:
            return None
        loudest = max(heard, key=heard.__getitem__)
        others = (sum(heard.values()) - heard[loudest]) / (len(heard) - 1)
        return loudest if heard[loudest] > NOISY * others else None

    def _at(self, workspace: str, now_s: float) -> float:
        at_s, amount = self._sent.get(workspace, (now_s, 0.0))
        return amount * math.exp2((at_s - now_s) / HALF_LIFE_S)


class Backlog:
    """Whether the evaluators keep up, from looks at the next offsets of each partition."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, list[int], list[int]]] = deque()

    def look(self, ends: Sequence[int], applied: Sequence[int], now_s: float) -> bool:
        """Whether any partition is saturated. Looks `BEHIND_S` old are needed to say so."""
        self._looks.append((now_s, list(ends), list(applied)))
        while len(self._looks) > 1 and self._looks[1][0] <= now_s - BEHIND_S:
            self._looks.popleft()
        at_s, ends_then, applied_then = self._looks[0]
        if at_s > now_s - BEHIND_S:
            return False
        return any(
            before < done < end for before, done, end in zip(applied_then, applied, ends_then, strict=True)
        )
