"""The api for a command: what the Python client asks, and every failure as a `Problem` that says what to do
next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any

from livesegments import client
from livesegments.cli.problem import MISSING, Problem
from livesegments.client import ApiError, BadId, Pages, Refused, Request, Retry, Unreachable
from livesegments.core.fault import Fault

RETRY = Retry(attempts=3, first_s=0.1)
"""A person waits: so it is given up sooner than by a service."""
ADVICE = {
    401: "give a valid key with --key (`livesegments up` leaves one in its up.json)",
    403: "give a key that may do it with --key (an admin key makes keys, with any scopes)",
    412: "it changed in between: read it again (`show`), then repeat",
    429: "ingest is at its bound: wait a moment, then repeat",
    503: "it is starting or its broker is away: see its /readyz, then repeat",
}


def problem_of(error: ApiError) -> Problem:
    """In words, with what to do next."""
    if not isinstance(error, Refused):
        advice = "is it running (`livesegments up`), and is the address right?"
        return Problem(str(error), advice=advice)
    message = str(error)
    advice = _advice(error.status, message, error.faults)
    return Problem(message, advice=advice, faults=error.faults, status=error.status)


def no_such(error: BadId) -> Problem:
    """An id that nothing can have."""
    if not error.id:
        return Problem("the id is empty", advice="give an id of at least one character")
    message = f"There is no {error.what} '{error.id}' here."
    advice = MISSING.get(error.what) or MISSING.get(error.what.split()[-1], "")
    return Problem(message, advice=advice, status=404)


def _advice(status: int, message: str, faults: Sequence[Fault]) -> str:
    if status == 404:
        if "Did you mean segment " in message:
            return "give the two ids the other way round"
        return next((advice for what, advice in MISSING.items() if f"no {what} " in message), "")
    if faults:
        return "correct these, then repeat" if status == 422 else "resolve that first, then repeat"
    return ADVICE.get(status, "")


@contextmanager
def reaching(url: str) -> Iterator[None]:
    """Turns the client's errors, and a failed connection of httpx, into a `Problem`."""
    import httpx  # noqa: PLC0415

    try:
        yield
    except ApiError as error:
        raise problem_of(error) from error
    except httpx.TransportError as error:
        message = f"{url} does not answer: {error or type(error).__name__}"
        raise problem_of(Unreachable(message, sent=False)) from error


class Client:
    """The api's (or ingest's) address and key. Every method raises Problem."""

    def __init__(self, url: str, key: str, workspace: str | None = None) -> None:
        for what, value in (("key", key), ("workspace", workspace or "")):
            if not (value.isascii() and (value.isprintable() or not value)):
                advice = MISSING["workspace"] if what == "workspace" else ADVICE[401]
                raise Problem(f"There is no {what} {value!r}.", advice=advice)
        self.url = url
        self.api = client.Client(url, key, workspace, retry=RETRY)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.api.close()

    def ask(self, request: Request[Any]) -> Any:
        """The answer's JSON as it came, so that `--json` prints all of it; None where it has no body."""
        with reaching(self.url):
            return self.api.raw(request)

    def each(self, request: Pages[Any, Any]) -> Iterator[Any]:
        """Every item of a list over all its pages, in order."""
        for page in self.pages(request):
            yield from page[request.items]

    def pages(self, request: Pages[Any, Any]) -> Iterator[Any]:
        """Every page, in order."""
        while True:
            page = self.ask(request)
            yield page
            cursor = page.get("next_cursor")
            if not cursor:
                return
            request = request.after(cursor)

    def warned(self, request: Pages[Any, Any], items: str) -> tuple[list[Any], Iterator[Any]]:
        """The warnings of the first page, and every item of all of them."""
        pages = self.pages(request)
        first = next(pages)

        def every() -> Iterator[Any]:
            for page in chain((first,), pages):
                yield from page[items]

        return first.get("warnings", []), every()

    def transitions(
        self, segment: str | None, *, backfill: bool = False, opened: Callable[[str], None] | None = None
    ) -> Iterator[Any]:
        """Each as it came. It goes on where its connection broke, and ends where the api stays away."""
        with reaching(self.url):
            yield from self.api.raw_transitions(segment, backfill=backfill, opened=opened)

    def download(
        self, segment: str, export: str, *, at: int, tag: str | None, opened: Callable[[str], Any] | None
    ) -> Iterator[bytes]:
        """The file of an export, behind the first `at` bytes of the one with this `tag`."""
        with reaching(self.url):
            yield from self.api.download(segment, export, at=at, tag=tag, opened=opened)

    def refused_rows(self, import_: str) -> Iterator[bytes]:
        """The CSV of the rows that an import has refused."""
        with reaching(self.url):
            yield from self.api.refused_rows(import_)

    def call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        once: bool = False,
    ) -> Any:
        """What no function of the client makes: a body that was written by hand, say."""
        return self.ask(
            Request(
                method=method,
                path=path,
                answer=None,
                query=dict(params or {}),
                body=json,
                headers=dict(headers or {}),
                timeout_s=timeout,
                once=once,
            )
        )
