"""When a request is sent again, and after which time.

Example: a segment is created, and the connection breaks before the answer has come. The request carries an
`Idempotency-Key`, so it is sent again with the same key, and the api gives the answer of the first.

- A request that never left us, or was answered with 429, is sent again, whatever it is.
- One that may have arrived, or was answered with 502, 503 or 504, is sent again only where to do it twice
  is the same as to do it once: reads, `PUT`, and what has a key.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from livesegments.client.errors import ApiError, Conflict, Refused, Unreachable
from livesegments.client.request import Request

AGAIN = (502, 503, 504)


class Retry(Struct, frozen=True):
    """At most `attempts` times, pausing `first_s` seconds, then twice as long, up to `most_s`; or for as
    long as the api says, if that is not longer than `most_s`. Pauses are drawn from the upper half, so that
    clients which failed together don't come back together."""

    attempts: int = 4
    first_s: float = 0.2
    most_s: float = 10.0

    def pause_s(
        self,
        request: Request[Any],
        attempt: int,
        error: ApiError,
        draw: Callable[[float, float], float] = random.uniform,
    ) -> float | None:
        """Seconds until the next attempt behind `attempt` (from 1 on); None: the error is final."""
        if attempt >= self.attempts or not _again(request, attempt, error):
            return None
        said = error.retry_after_s if isinstance(error, Refused) else None
        if said is not None:
            return said if said <= self.most_s else None
        most = min(self.most_s, self.first_s * 2 ** (attempt - 1))
        return draw(most / 2, most)


NEVER = Retry(attempts=1)


def _again(request: Request[Any], attempt: int, error: ApiError) -> bool:
    same = request.once or request.method in ("GET", "PUT")
    match error:
        case Unreachable():
            return same or not error.sent
        case Conflict():  # the first one with this key may still be under way
            return request.once and attempt > 1 and not error.faults
        case Refused():
            return error.status == 429 or (same and error.status in AGAIN)
    return False
