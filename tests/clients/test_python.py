"""The Python libraries, unchanged, against ingest: everything arrives once, and errors are understood."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.clients import calls
from tests.clients.conftest import Sending, run
from tests.clients.install import python_packages
from tests.clients.libraries import HERE, PYTHON, Library

pytestmark = pytest.mark.parametrize("library", PYTHON, ids=str)


async def drive(
    library: Library, url: str, key: str, what: str, answered: Callable[[], Awaitable[None]] | None = None
) -> Any:
    driver = HERE / "drivers" / "python_client.py"
    folder = python_packages(library.lock)
    command = (sys.executable, "-I", str(driver), str(folder), library.module, url, key, what)
    return await run(*command, answered=answered)


async def test_everything_arrives_once_and_flush_returns(library: Library, sending: Sending) -> None:
    told = await drive(library, sending.url, "write", "everything")
    assert told["errors"] == [] and set(told["statuses"]) == {200}
    events = await sending.events()
    assert calls.shown(events) == list(calls.EVERYTHING)
    (order,) = [event for event in events if event.name == "Order Placed"]
    assert abs(order.time_ms - calls.ORDERED_MS) < calls.SKEW_MS
    assert await sending.rejected() == []


async def test_one_odd_item_is_no_error_of_the_batch_and_nothing_is_sent_again(
    library: Library, sending: Sending
) -> None:
    told = await drive(library, sending.url, "write", "odd")
    assert told["errors"] == [] and set(told["statuses"]) == {200}
    calls.check_odd(await sending.events(), await sending.rejected())


async def test_a_wrong_key_is_understood_and_not_tried_again(library: Library, sending: Sending) -> None:
    told = await drive(library, sending.url, "no-such-key", "odd")
    assert len(told["statuses"]) == len(told["errors"]) and set(told["statuses"]) == {401}
    for error in told["errors"]:
        assert error["status"] == 401 and error["code"] and "key is not known" in error["message"]
    assert await sending.events() == []


async def test_what_is_answered_with_503_is_sent_again_and_counts_once(
    library: Library, sending: Sending
) -> None:
    await sending.lose_catalogue()
    told = await drive(library, sending.url, "write", "everything", sending.restore_catalogue)
    first, *_, last = told["statuses"]
    assert (first, last) == (503, 200) and told["errors"] == []
    assert calls.shown(await sending.events()) == list(calls.EVERYTHING)
