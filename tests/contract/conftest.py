from collections.abc import AsyncIterator, Callable

import pytest

from livesegments.store.shard import RedisShard, Shard
from tests.simulation.memory import MemoryShard, MemoryStore


@pytest.fixture(params=["memory", "valkey"])
async def open_shard(request: pytest.FixtureRequest, clean_redis: str) -> AsyncIterator[Callable[[], Shard]]:
    """Opens one more shard on the same store and partition, as another worker would."""
    opened: list[MemoryShard | RedisShard] = []
    store = MemoryStore()

    def open_() -> MemoryShard | RedisShard:
        if request.param == "memory":
            shard: MemoryShard | RedisShard = MemoryShard(store, 3)
        else:
            shard = RedisShard(clean_redis, 3)
        opened.append(shard)
        return shard

    yield open_
    for shard in opened:
        await shard.close()
