"""The rules of quotas, at instants that the tests give."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from livesegments.ingest.accept import Verdicts, without
from livesegments.ingest.gate import Beyond, Gate
from livesegments.ingest.quota import BEHIND_S, BURST_S, NOISY, Backlog, Buckets, Shares
from livesegments.ingest.receipt import Accepted
from livesegments.wire.catalog import Quotas
from livesegments.wire.rejected import Rejected


def test_a_quota_may_be_sent_at_once_for_a_burst_and_then_by_the_second() -> None:
    buckets, sent = Buckets(), 0
    while not buckets.wait_s("w", 100, 0.0):
        buckets.take("w", 10, 100, 0.0)
        sent += 10
    assert sent == 100 * BURST_S
    assert not buckets.wait_s("w", 100, 0.1), "what came in a tenth of a second"
    assert not buckets.wait_s("other", 100, 0.0)


async def test_a_quota_of_events_is_shared_by_the_processes() -> None:
    async def quotas(_: str) -> Quotas:
        return Quotas(events_per_s=100)

    gates = [Gate(quotas, Nothing(), lambda: [0], lambda: 0.0, lambda: 0, processes=4) for _ in range(4)]
    assert [await gate.room("w") for gate in gates] == [100 * BURST_S / 4] * 4
    await gates[0].took("w", 50)
    with pytest.raises(Beyond):
        await gates[0].admit("w")
    assert (await gates[0].room("w"), await gates[1].room("w")) == (0, 50)


class Nothing:
    """A store in which nothing is stored."""

    async def count(self, workspace: str) -> int:
        return 0

    async def known(self, workspace: str, ids: Sequence[str]) -> set[str]:
        return set()

    async def applied(self) -> list[int]:
        return [0]


def test_what_a_request_takes_too_much_is_paid_back_before_the_next() -> None:
    buckets = Buckets()
    buckets.take("w", 1_000, 100, 0.0)
    wait_s = buckets.wait_s("w", 100, 0.0)
    assert buckets.wait_s("w", 100, wait_s - 0.02) > 0
    assert buckets.wait_s("w", 100, wait_s + 0.02) == 0
    assert wait_s == pytest.approx((1_000 - 100 * BURST_S) / 100, abs=0.02)


@pytest.mark.parametrize("seed", range(20))
def test_no_more_than_the_quota_gets_in_over_any_time(seed: int) -> None:
    rng = random.Random(seed)
    buckets, now_s, sent, most = Buckets(), 0.0, 0, 0
    for _ in range(500):
        now_s += rng.random() * 0.05
        events = rng.randrange(1, 50)
        if not buckets.wait_s("w", 200, now_s):
            buckets.take("w", events, 200, now_s)
            sent += events
        most = max(most, events)
        buckets.forget(now_s)
    assert sent <= 200 * (BURST_S + now_s) + most, seed
    assert sent >= 200 * now_s * 0.9, seed


def test_who_has_a_full_quota_is_forgotten() -> None:
    buckets = Buckets()
    buckets.take("w", 100, 100, 0.0)
    buckets.forget(0.5)
    assert buckets.wait_s("w", 1, 0.5) == 0
    assert buckets._left
    buckets.forget(BURST_S)
    assert not buckets._left


def test_the_noisiest_sends_far_more_than_its_neighbours() -> None:
    shares = Shares()
    assert shares.noisiest(0.0) is None
    shares.sent("loud", 2_000, 0.0)
    assert shares.noisiest(0.0) is None, "there is nobody whom it holds up"
    for name in ("a", "b", "c"):
        shares.sent(name, 100, 0.0)
    assert shares.noisiest(0.0) == "loud"
    assert shares.noisiest(1.0) == "loud", "all count less together"
    assert shares.noisiest(60.0) is None, "nobody sends any more"


def test_who_sends_a_little_more_is_not_noisy() -> None:
    shares = Shares()
    shares.sent("more", int(100 * NOISY), 0.0)
    shares.sent("less", 100, 0.0)
    assert shares.noisiest(0.0) is None


def test_a_partition_is_saturated_while_what_it_had_long_ago_is_not_applied() -> None:
    backlog, second = Backlog(), BEHIND_S
    assert not backlog.look([100, 9], [10, 9], 0.0)
    assert not backlog.look([200, 9], [50, 9], second / 2), "nothing is known that is old enough"
    assert backlog.look([300, 9], [90, 9], second)
    assert not backlog.look([400, 9], [400, 9], 2 * second), "it has caught up"


def test_a_partition_without_an_evaluator_is_not_saturated() -> None:
    backlog = Backlog()
    looks = [backlog.look([100 * n], [10], n * BEHIND_S / 2) for n in range(10)]
    assert not any(looks)


def test_events_that_are_refused_late_keep_their_places_in_the_batch() -> None:
    def rejected(index: int) -> Rejected:
        return Rejected("w", "http", 0, [], b"", index)

    events = [Accepted("w", name, b"") for name in ("p0", "p2", "p3")]
    verdicts = without(Verdicts(events, [rejected(1)], [rejected(2)]), {1: rejected(0)})
    assert [each.profile for each in verdicts.accepted] == ["p0", "p3"]
    assert [each.index for each in verdicts.rejected] == [1, 2]
    assert not verdicts.left_out


def test_a_workspaces_own_quota_goes_before_the_settings() -> None:
    found = Quotas(events_per_s=5).over(Quotas(events_per_s=9, profiles=7))
    assert found == Quotas(events_per_s=5, profiles=7)
