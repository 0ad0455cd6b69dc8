import pytest

from livesegments.evaluator.commits import condensing


@pytest.fixture(autouse=True)
def forms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets of members change their form all the time: an odd number of members are bits."""
    monkeypatch.setattr(condensing, "EVERY_S", 0.02)
    monkeypatch.setattr(condensing, "is_better_dense", lambda count, last: count % 2 == 1)
    monkeypatch.setattr(condensing, "is_better_sparse", lambda count, last: count % 2 == 0)
