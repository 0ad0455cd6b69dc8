"""What goes wrong, by kind: every error of the client is an `ApiError`.

Example: a definition with two faults is refused with 422, so `Invalid` is raised, and its `faults` are
both, with JSON pointers into what was sent.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from livesegments.core.fault import Fault

MOST_QUOTED = 300
"""Characters of an answer that is no problem+json."""


class BadId(ValueError):
    """No such id can be: nothing was sent. `what`: of what it should be one, `segment`, say."""

    def __init__(self, what: str, id_: str) -> None:
        super().__init__(f"there is no {what} {id_!r}" if id_ else f"the id of a {what} is empty")
        self.what, self.id = what, id_


class ApiError(Exception):
    """Any failure of a request."""


class Unreachable(ApiError):
    """No answer came. `sent` says whether the request may have arrived all the same."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class Unreadable(ApiError):
    """An answer came that is none of this api: another service listens there, or one of another release."""


class Refused(ApiError):
    """The answer was an error (RFC 9457): `status`, its `title` and `detail`, and every fault.

    `retry_after_s`: after how many seconds the api says that it is worth asking again, if it says so.
    """

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        faults: tuple[Fault, ...],
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(detail or title)
        self.status, self.title, self.detail, self.faults = status, title, detail, faults
        self.retry_after_s = retry_after_s


class BadRequest(Refused):
    """400: no JSON, or not of the form that is asked for."""


class Unauthorized(Refused):
    """401: no key, or one that opens nothing."""


class Forbidden(Refused):
    """403: the key lacks a scope."""


class NotFound(Refused):
    """404: it is not there, or is another workspace's."""


class Conflict(Refused):
    """409: what is there already forbids it; `faults` or the message name it."""


class Gone(Refused):
    """410: it was there once; a stream's place is older than what is kept."""


class PreconditionFailed(Refused):
    """412: it was changed since it was read."""


class Invalid(Refused):
    """422: the request has faults, each with its pointer."""


class TooManyRequests(Refused):
    """429: a quota or a bound is reached."""


class Unavailable(Refused):
    """5xx: the api can't do it now."""


KINDS: dict[int, type[Refused]] = {
    400: BadRequest, 401: Unauthorized, 403: Forbidden, 404: NotFound, 409: Conflict, 410: Gone,
    412: PreconditionFailed, 422: Invalid, 429: TooManyRequests,
}  # fmt: skip


class _Problem(Struct):
    title: str
    detail: str = ""
    errors: tuple[Fault, ...] = ()


def refusal(status: int, body: bytes, retry_after: str | None) -> Refused:
    """Reads problem+json; anything else is quoted."""
    try:
        problem = msgspec.json.decode(body, type=_Problem)
    except msgspec.MsgspecError:
        text = body.decode(errors="replace")[:MOST_QUOTED]
        problem = _Problem("", f"HTTP {status}: {text}")
    kind = KINDS.get(status, Unavailable if status >= 500 else Refused)
    wait_s = float(retry_after) if retry_after is not None and retry_after.isdecimal() else None
    return kind(status, problem.title, problem.detail, problem.errors, wait_s)
