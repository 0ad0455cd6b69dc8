"""Segment's Node and browser libraries, unchanged, against ingest, on a Node that comes as a wheel."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from livesegments.core.event import Event
from tests.clients import calls
from tests.clients.conftest import Sending, run
from tests.clients.install import node_modules
from tests.clients.libraries import BROWSER, HERE, NODE, Library

KEY_IN_BODY_ONLY = {"1.82.0"}


async def drive(
    driver: str,
    library: Library,
    url: str,
    key: str,
    *what: str,
    answered: Callable[[], Awaitable[None]] | None = None,
) -> Any:
    node, folder = node_modules()
    path = HERE / "drivers" / f"{driver}.mjs"
    command = (str(node), str(path), str(folder), library.module, url, key, *what)
    return await run(*command, answered=answered)


async def test_node_everything_arrives_once_and_the_flush_returns(sending: Sending) -> None:
    told = await drive("node_client", NODE, sending.url, "write", "everything")
    assert told["errors"] == [] and set(told["statuses"]) == {200}
    events = await sending.events()
    assert sorted(calls.shown(events), key=repr) == sorted(calls.EVERYTHING, key=repr)
    assert await sending.rejected() == []


async def test_node_one_odd_item_is_no_error_and_nothing_is_sent_again(sending: Sending) -> None:
    told = await drive("node_client", NODE, sending.url, "write", "odd")
    assert told["errors"] == [] and set(told["statuses"]) == {200}
    calls.check_odd(await sending.events(), await sending.rejected())


async def test_node_a_wrong_key_is_understood_and_not_tried_again(sending: Sending) -> None:
    told = await drive("node_client", NODE, sending.url, "no-such-key", "odd")
    assert set(told["statuses"]) == {401} and len(told["statuses"]) == 1
    assert told["errors"] and all("401" in error["message"] for error in told["errors"])
    assert await sending.events() == []


async def test_node_what_is_answered_with_503_is_sent_again_and_counts_once(sending: Sending) -> None:
    await sending.lose_catalogue()
    again = sending.restore_catalogue
    told = await drive("node_client", NODE, sending.url, "write", "everything", answered=again)
    first, *_, last = told["statuses"]
    assert (first, last) == (503, 200) and told["errors"] == []
    events = await sending.events()
    assert sorted(calls.shown(events), key=repr) == sorted(calls.EVERYTHING, key=repr)


def browsed(events: list[Event]) -> list[tuple[str, dict[str, Any]]]:
    """The calls of a page, without those that the library adds by itself."""
    return [
        (name, {key: properties[key] for key in calls.PAGE} if name == "page" else properties)
        for name, properties in calls.shown(events)
    ]


@pytest.mark.parametrize("how", ["single", "batching"])
@pytest.mark.parametrize("library", BROWSER, ids=str)
async def test_browser_everything_arrives_once(library: Library, how: str, sending: Sending) -> None:
    told = await drive("browser_client", library, sending.url, "write", "everything", how)
    assert told["errors"] == [] and set(told["statuses"]) == {200}
    assert {request["type"] for request in told["requests"]} == {"text/plain"}
    in_header = library.version not in KEY_IN_BODY_ONLY
    assert {request["keyInHeader"] for request in told["requests"]} == {in_header}
    paths = {request["path"] for request in told["requests"]}
    assert paths == ({"/v1/b"} if how == "batching" else {f"/v1/{letter}" for letter in "itpga"})
    wanted = [each for each in calls.EVERYTHING if each[0] != "screen"]
    assert sorted(browsed(await sending.events()), key=repr) == sorted(wanted, key=repr)
    assert await sending.rejected() == []


@pytest.mark.parametrize("library", BROWSER, ids=str)
async def test_browser_a_batch_with_an_odd_item_is_not_sent_again(library: Library, sending: Sending) -> None:
    told = await drive("browser_client", library, sending.url, "write", "odd", "batching")
    assert told["statuses"] == [200] and told["waiting"] == 0
    calls.check_odd(await sending.events(), await sending.rejected())


@pytest.mark.parametrize("library", BROWSER, ids=str)
async def test_browser_a_wrong_key_is_not_tried_again(library: Library, sending: Sending) -> None:
    told = await drive("browser_client", library, sending.url, "no-such-key", "odd", "batching")
    assert told["statuses"] == [401] and told["waiting"] == 0
    assert await sending.events() == []
