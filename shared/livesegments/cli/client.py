"""HTTP to our services: one plain client, and every failure as a `Problem` that says what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from livesegments.cli.problem import MISSING, Problem
from livesegments.core.fault import Fault

if TYPE_CHECKING:
    import httpx  # to import it takes longer than all the rest: so it is imported where it is used

TIMEOUT_S = 30.0


ADVICE = {
    401: "give a valid key with --key (`livesegments up` leaves one in its up.json)",
    403: "give a key that may do it with --key (an admin key makes keys, with any scopes)",
    412: "it changed in between: read it again (`show`), then repeat",
    429: "ingest is at its bound: wait a moment, then repeat",
    503: "it is starting or its broker is away: see its /readyz, then repeat",
}


def problem_of(response: httpx.Response) -> Problem:
    """Reads problem+json; anything else is quoted."""
    try:
        body = response.json()
    except ValueError:
        body = {}
    if not isinstance(body, Mapping) or "title" not in body:
        body = {"title": "", "detail": f"HTTP {response.status_code}: {response.text[:300]}"}
    message = body.get("detail") or body["title"]
    faults = tuple(
        Fault(item.get("pointer", ""), item.get("code", ""), item.get("message", ""))
        for item in body.get("errors") or ()
    )
    return Problem(
        message,
        advice=_advice(response.status_code, message, faults),
        faults=faults,
        status=response.status_code,
    )


def _advice(status: int, message: str, faults: tuple[Fault, ...]) -> str:
    if status == 404:
        if "Did you mean segment " in message:
            return "give the two ids the other way round"
        return next((advice for what, advice in MISSING.items() if f"no {what} " in message), "")
    if faults:
        return "correct these, then repeat" if status == 422 else "resolve that first, then repeat"
    return ADVICE.get(status, "")


@contextmanager
def reaching(url: str) -> Iterator[None]:
    """Turns a connection's failure into a `Problem`."""
    import httpx  # noqa: PLC0415

    try:
        yield
    except httpx.TransportError as error:
        raise Problem(
            f"{url} does not answer: {error or type(error).__name__}",
            advice="is it running (`livesegments up`), and is the address right?",
        ) from error


class Client:
    """The api's (or ingest's) address and key; `call` returns the answer's JSON or raises Problem."""

    def __init__(self, url: str, key: str, workspace: str | None = None) -> None:
        import httpx  # noqa: PLC0415

        headers = {"Authorization": f"Bearer {_sendable('key', key)}"}
        if workspace is not None:
            headers["X-Workspace"] = _sendable("workspace", workspace)
        secure = url.startswith("https:")  # to load certificates takes a while: only where they are used
        self.http = httpx.Client(
            base_url=url, headers=headers, timeout=TIMEOUT_S, verify=secure, trust_env=False
        )
        self.url = url

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.http.close()

    def send(self, method: str, path: str, **request: Any) -> httpx.Response:
        with reaching(self.url):
            response = self.http.request(method, path, **request)
        if response.is_error:
            raise problem_of(response)
        return response

    def call(self, method: str, path: str, **request: Any) -> Any:
        """None for an answer without a body."""
        response = self.send(method, path, **request)
        return response.json() if response.content else None

    def pages(self, path: str, items: str, **query: Any) -> Iterator[Any]:
        """Every item of a list over all its pages, in order."""
        yield from self.warned_pages(path, items, **query)[1]

    def warned_pages(self, path: str, items: str, **query: Any) -> tuple[list[Any], Iterator[Any]]:
        """The same, and the warnings of the first page."""
        first = self.call("GET", path, params=query)

        def every() -> Iterator[Any]:
            page = first
            while True:
                yield from page[items]
                cursor = page.get("next_cursor")
                if not cursor:
                    return
                page = self.call("GET", path, params={**query, "cursor": cursor})

        return first.get("warnings", []), every()


def _sendable(what: str, value: str) -> str:
    """`value`, if a header can carry it. Raises Problem: no key and no workspace's id holds anything else."""
    if value.isascii() and value.isprintable():
        return value
    advice = MISSING["workspace"] if what == "workspace" else ADVICE[401]
    raise Problem(f"There is no {what} {value!r}.", advice=advice)
