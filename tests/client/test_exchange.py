"""What the clients do with answers that a healthy api seldom gives: errors, silence, answers that are none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from livesegments.client import (
    AsyncClient,
    BadId,
    Client,
    Conflict,
    Invalid,
    NotFound,
    Refused,
    Retry,
    TooManyRequests,
    Unavailable,
    Unreachable,
    Unreadable,
    keys,
    members,
    segments,
    value_lists,
)
from livesegments.client.retry import NEVER
from tests.cli.server import Answer, Request, serving

MADE = {"accepted": 1}
ADD = members.add("a", ["ann"])
MEMBER = {"profile": "ann", "in": True, "entered_at": "2026-01-31T09:30:00.000Z", "valid_until": None}
PROBLEM = {
    "type": "about:blank", "title": "Unprocessable Content", "status": 422, "detail": "2 fault(s)",
    "errors": [
        {"pointer": "/name", "code": "missing", "message": "is needed"},
        {"pointer": "/tags/0", "code": "too_long", "message": "101 characters"},
    ],
}  # fmt: skip


class Server:
    """Gives the answers in turn, the last one for ever; keeps every request."""

    def __init__(self, *answers: Answer) -> None:
        self.answers, self.asked = list(answers), list[Request]()

    def __call__(self, request: Request) -> Answer:
        self.asked.append(request)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Pauses:
    def __init__(self) -> None:
        self.slept: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)


async def asked(
    server: Server, work: Callable[[Client], Any], retry: Retry | None = None
) -> tuple[Any, list[float]]:
    """What the client's work gives, and its pauses."""
    pauses = Pauses()
    async with serving(server) as url:

        def run() -> Any:
            with Client(url, "k", retry=retry or Retry(), sleep=pauses) as client:
                return work(client)

        return await asyncio.to_thread(run), pauses.slept


async def test_what_was_refused_for_now_is_sent_again_with_the_same_key() -> None:
    server = Server(Answer(503, PROBLEM), Answer(503, PROBLEM), Answer(202, MADE))
    made, slept = await asked(server, lambda client: client.send(ADD))
    assert made.accepted == 1
    assert len(slept) == 2 and slept[1] > slept[0] / 2
    sent = {request.headers["idempotency-key"] for request in server.asked}
    assert len(server.asked) == 3 and len(sent) == 1
    assert server.asked[0].body == {"profiles": ["ann"]}


async def test_two_requests_never_share_a_key() -> None:
    server = Server(Answer(202, MADE))

    def twice(client: Client) -> None:
        client.send(ADD)
        client.send(ADD)

    await asked(server, twice)
    assert len({request.headers["idempotency-key"] for request in server.asked}) == 2


async def test_what_must_not_be_done_twice_is_not_sent_again() -> None:
    for request in (
        keys.create("w", "k", ["read"]),
        segments.edit("a", if_match=1, name="B"),
        value_lists.delete_list("l"),
    ):
        server = Server(Answer(503, PROBLEM))
        with pytest.raises(Unavailable):
            await asked(server, lambda client, request=request: client.send(request))  # type: ignore[misc]
        assert len(server.asked) == 1


async def test_it_waits_as_long_as_the_api_says_but_not_for_ever() -> None:
    busy = Answer(429, PROBLEM, {"Retry-After": "3"})
    _, slept = await asked(Server(busy, Answer(204)), lambda client: client.send(segments.delete("a")))
    assert slept == [3.0]
    with pytest.raises(TooManyRequests) as caught:
        await asked(
            Server(Answer(429, PROBLEM, {"Retry-After": "60"})),
            lambda client: client.send(segments.delete("a")),
        )
    assert caught.value.retry_after_s == 60


async def test_the_first_with_a_key_may_still_be_under_way_when_it_is_sent_again() -> None:
    way = Answer(
        409,
        {"title": "Conflict", "detail": "The first request with this Idempotency-Key is still under way."},
    )
    made, _ = await asked(Server(Answer(504), way, Answer(202, MADE)), lambda client: client.send(ADD))
    assert made.accepted == 1
    with pytest.raises(Conflict):  # nothing was sent before: so it is another's
        await asked(Server(way), lambda client: client.send(ADD))


async def test_an_error_has_its_kind_and_all_its_faults() -> None:
    with pytest.raises(Invalid, match="2 fault") as caught:
        await asked(Server(Answer(422, PROBLEM)), lambda client: client.send(ADD))
    assert [fault.pointer for fault in caught.value.faults] == ["/name", "/tags/0"]
    with pytest.raises(NotFound):
        await asked(Server(Answer(404, PROBLEM)), lambda client: client.send(members.read("a", "ann")))
    with pytest.raises(Refused, match="HTTP 418: \\[1\\]"):
        await asked(Server(Answer(418, [1])), lambda client: client.send(members.read("a", "ann")))


async def test_an_answer_that_is_none_of_the_apis_is_an_error_of_ours() -> None:
    with pytest.raises(Unreadable, match="GET /v1/segments/a/members/ann"):
        await asked(
            Server(Answer(200, {"profile": "ann"})), lambda client: client.send(members.read("a", "ann"))
        )


async def test_fields_that_a_newer_api_adds_are_passed_over() -> None:
    read, _ = await asked(
        Server(Answer(200, {**MEMBER, "new": 1})), lambda client: client.send(members.read("a", "ann"))
    )
    assert read.is_in and read.entered_at is not None and read.entered_at.year == 2026


async def test_where_nothing_listens_that_is_said_after_all_attempts() -> None:
    async with serving(Server(Answer(200))) as url:
        pass
    pauses = Pauses()
    with (
        Client(url, "k", sleep=pauses) as client,
        pytest.raises(Unreachable, match="does not answer") as caught,
    ):
        client.send(keys.create("w", "k", ["read"]))  # it was never sent: so it is tried again
    assert not caught.value.sent and len(pauses.slept) == 3


async def test_every_item_of_all_pages_is_given_once() -> None:
    pages = [Answer(200, {"members": ["a", "b"], "next_cursor": "x"}), Answer(200, {"members": ["c"]})]
    server = Server(*pages)
    found, _ = await asked(
        server, lambda client: list(client.each(members.page("vips", fields=["email", "city"])))
    )
    assert found == ["a", "b", "c"]
    assert [request.path for request in server.asked] == [
        "/v1/segments/vips/members?fields=email&fields=city&limit=1000",
        "/v1/segments/vips/members?fields=email&fields=city&limit=1000&cursor=x",
    ]


async def test_the_client_for_asyncio_does_the_same() -> None:
    server = Server(
        Answer(503, PROBLEM),
        Answer(200, {"members": ["a"], "next_cursor": "x"}),
        Answer(200, {"members": ["b"]}),
    )
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async with serving(server) as url, AsyncClient(url, "k", "w", sleep=sleep) as client:
        assert [each async for each in client.each(members.page("vips"))] == ["a", "b"]
        assert await client.raw(members.page("vips")) == {"members": ["b"]}
    assert len(slept) == 1 and server.asked[0].headers["x-workspace"] == "w"


def test_ids_are_escaped_and_never_empty() -> None:
    assert members.read("a", "b/../c").path == "/v1/segments/a/members/b%2F%2E%2E%2Fc"
    with pytest.raises(BadId, match="is empty"):
        members.read("a", "")


def test_an_id_that_would_lead_to_another_path_is_none() -> None:
    """`segments.delete("a/build")` would cancel what is built for the segment `a`."""
    for make in (segments.delete, segments.read, keys.read_all, value_lists.delete_list):
        with pytest.raises(BadId, match=r"there is no .* 'a/build'") as raised:
            make("a/build")
        assert raised.value.what in ("segment", "workspace", "value list")


def test_what_no_header_can_carry_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(ValueError, match="there is no key"):
        Client("http://127.0.0.1:1", "clé")


def test_one_attempt_is_one() -> None:
    assert NEVER.pause_s(segments.read("a"), 1, Unreachable("", sent=False)) is None
