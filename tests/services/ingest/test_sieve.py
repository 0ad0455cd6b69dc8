"""Ingest keeps events of the erased from the log, and their bytes from `rejected`."""

from __future__ import annotations

from livesegments.core.event import Event
from livesegments.core.fault import Fault
from livesegments.ingest.receipt import Accepted
from livesegments.ingest.sieve import Sieve
from livesegments.store import keys
from livesegments.store.client import connect
from livesegments.store.commit import Commit
from livesegments.store.erasures import Suppressed, encode
from livesegments.store.suppressions import Suppressions
from livesegments.wire.rejected import Rejected
from livesegments.wire.suppressed import digest

KEY = "k"


def accepted(profile: str) -> Accepted:
    return Accepted("w", profile, Event("e", "w", profile, "a", 0).id.encode())


def rejected(raw: bytes, workspace: str | None = "w") -> Rejected:
    return Rejected(workspace, "http", 0, [Fault("", "bad", "bad")], raw)


async def test_events_and_refusals_of_the_erased_go_no_further(clean_redis: str) -> None:
    async with connect(clean_redis) as redis:
        known = Suppressions(redis, 4, KEY)
        sieve = Sieve(known)
        events = [accepted("ada"), accepted("bob")]
        refusals = [rejected(b'{"userId":"ada"}'), rejected(b'["ada"', None), rejected(b'{"userId":"bob"}')]
        await known.refresh()
        assert known.nobody
        assert sieve.events(events) is events and sieve.refusals(refusals) is refusals

        who = encode(Suppressed("w", 7, 0))
        key = keys.suppressed(2)
        await redis.hset(key, mapping={digest(KEY, "w", "ada"): who, "changed": "9"})
        await known.refresh()
        assert sieve.events(events) == events[1:]
        assert sieve.refusals(refusals) == refusals[2:]

        await redis.hset(key, "changed", "9")
        await redis.hdel(key, digest(KEY, "w", "ada"))
        await known.refresh()
        assert not known.nobody, "nothing says that it has changed"
        await redis.hset(key, "changed", str(Commit(2, 10, 0, None, 0).number))
        await known.refresh()
        assert known.nobody
