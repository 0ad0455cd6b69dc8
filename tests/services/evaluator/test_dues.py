"""Due instants in memory beside a store, against what is due by plain reckoning."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from livesegments.evaluator.commits.dues import Dues, DueTimes
from livesegments.evaluator.kernel import native
from livesegments.wire.profilekey import ProfileKey

KEPT, PAGE, PROFILES = 8, 6, 30


class Model:
    """`wakes` are the due instants by the profiles' states, `stored` the store's."""

    def __init__(self, seed: int, make: Callable[[], DueTimes]) -> None:
        self.random = Random(seed)
        self.dues = make()
        self.wakes: dict[ProfileKey, int] = {}
        self.stored: dict[ProfileKey, int] = {}
        self.now_ms = 0
        self.put = 0
        self.written = 0

    def commit(self) -> None:
        for key, due in self.dues.take_unwritten(self.now_ms).items():
            self.written += due is not None
            if due is None:
                self.stored.pop(key, None)
            else:
                self.stored[key] = due
        self.dues.trim()
        assert self.stored.keys() == self.wakes.keys()
        assert all(self.stored[key] <= wake for key, wake in self.wakes.items()), "never later than the state"

    def settle(self) -> None:
        """Nothing is due: the store says so, too."""
        self.fire(self.now_ms)
        self.commit()
        assert min(self.stored.values(), default=self.now_ms + 1) > self.now_ms

    def move(self, key: ProfileKey) -> None:
        """An event: mostly the due instant moves on, now and then it is earlier, or there is none."""
        before, chance = self.wakes.get(key), self.random.random()
        after = None if chance < 0.1 else self.now_ms + self.random.randrange(1, 10 if chance < 0.3 else 60)
        if after != before:
            self._become(key, after, before)

    def _become(self, key: ProfileKey, after: int | None, before: int | None) -> None:
        self.put += 1
        self.dues.put(key, after, before)
        if after is None:
            self.wakes.pop(key, None)
        else:
            self.wakes[key] = after

    def load(self, until_ms: int, count: int) -> None:
        limit = PAGE
        while len(self.dues.first(until_ms, count)) < count and not self.dues.covers(until_ms):
            entries = sorted((due, key) for key, due in self.stored.items())[:limit]
            self.dues.load(entries, complete=len(entries) < limit)
            limit *= 2

    def fire(self, until_ms: int) -> None:
        self.load(until_ms, PROFILES)
        first = self.dues.first(until_ms, PROFILES)
        due = {key for key, wake in self.wakes.items() if wake <= until_ms}
        assert due <= {key for _, key in first}
        assert due <= set(self.dues.keys(until_ms, PROFILES))
        last = -1
        while (entry := self.dues.pop(until_ms)) is not None:
            assert entry[0] >= last and entry[1] in {key for _, key in first}
            last, key = entry
            wake = self.wakes[key]
            due.discard(key)
            if wake > last:  # what the store said was too early
                self.dues.put(key, wake)
            else:
                self._become(key, None if self.random.random() < 0.5 else until_ms + 20, None)
        assert not due
        self.now_ms = until_ms

    def raise_(self) -> None:
        """A fault of ours undoes what was done."""
        before = dict(self.wakes)
        self.load(self.now_ms + 5, PROFILES)
        touched = self.random.sample(list(keys()), 4)
        for _ in range(self.random.randrange(3)):
            entry = self.dues.pop(self.now_ms + 5)
            if entry is not None and self.random.random() < 0.5:
                touched.append(entry[1])
                self._become(entry[1], None, None)
        for key in touched[:4]:
            self.move(key)
        self.dues.undo({key: before.get(key) for key in touched})
        self.wakes = before


def keys() -> list[ProfileKey]:
    return [ProfileKey(f"w\0p{number}") for number in range(PROFILES)]


@pytest.fixture(params=["interpreted", "native"])
def make(request: pytest.FixtureRequest) -> Callable[[], DueTimes]:
    """Both of the port; as a worker begins with them."""
    if request.param == "interpreted":
        return lambda: Dues(KEPT)
    if not native.BUILT:
        pytest.skip("no kernel: make setup builds it where cargo is on PATH")
    return lambda: native.dues(KEPT)


@pytest.mark.parametrize("seed", range(12))
def test_nothing_fires_late_whatever_is_not_written(seed: int, make: Callable[[], DueTimes]) -> None:
    model = Model(seed, make)
    for _ in range(300):
        for _ in range(model.random.randrange(5)):
            model.move(model.random.choice(keys()))
        chance = model.random.random()
        if chance < 0.5:
            model.fire(model.now_ms + model.random.randrange(8))
        model.commit()
        if chance > 0.97:
            model.dues = make()  # another worker
        elif chance > 0.9:
            model.raise_()
            model.commit()
        elif chance > 0.8:
            model.settle()
    assert model.written < model.put


def test_what_only_moves_later_is_written_when_its_entry_comes_up(make: Callable[[], DueTimes]) -> None:
    dues, (ann, bob) = make(), keys()[:2]
    dues.load([(10, ann), (15, bob)], complete=True)
    for due_ms in range(11, 40):
        dues.put(ann, due_ms, due_ms - 1)
    assert dues.take_unwritten(9) == {}
    assert dues.next(9) == 10
    assert dues.first(20, 9) == [(15, bob)]
    assert dues.pop(20) == (15, bob)
    assert dues.pop(38) is None
    assert dues.take_unwritten(38) == {bob: None, ann: 39}
    assert dues.pop(39) == (39, ann)
