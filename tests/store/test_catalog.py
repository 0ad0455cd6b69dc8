"""The catalogue remembers nothing that is older than the store: two processes, one store."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from livesegments.store import keys
from livesegments.store.catalog import Catalog, see_once
from livesegments.store.client import connect
from livesegments.wire.catalog import Key, Segment, Workspace

KEY = Key("digest", "shop", "k", ("read", "write"), 0)
WORKSPACE = Workspace("shop", "Shop", "UTC", 0)
SEGMENT = Segment("shop", "s", "S", 1, 1, 0, 0, None)


@pytest.fixture
async def two(clean_redis: str) -> AsyncIterator[tuple[Catalog, Catalog]]:
    async with connect(clean_redis) as one, connect(clean_redis) as other:
        await one.set(keys.CATALOG_SEQUENCE, 0)
        yield Catalog(one), Catalog(other)


async def test_a_key_narrowed_or_deleted_by_another_process_is_so_at_the_next_request(
    two: tuple[Catalog, Catalog],
) -> None:
    ours, theirs = two
    await theirs.put_key(KEY)
    for _ in range(2):
        see_once()
        assert await ours.key(KEY.digest) == KEY
    narrowed = replace(KEY, scopes=("read",))
    await theirs.put_key(narrowed)
    see_once()
    assert await ours.key(KEY.digest) == narrowed
    await theirs.delete_key(narrowed)
    see_once()
    assert await ours.key(KEY.digest) is None


async def test_a_workspace_or_segment_changed_by_another_process_is_seen_at_the_next_request(
    two: tuple[Catalog, Catalog],
) -> None:
    ours, theirs = two
    await theirs.add_workspace(WORKSPACE)
    await theirs.change_segment("shop", lambda _: ("put", SEGMENT))
    for timezone in ("UTC", "Asia/Tokyo", "Europe/Kyiv"):
        await theirs.change_workspace("shop", lambda old, to=timezone: replace(old, timezone=to))  # type: ignore[misc]
        see_once()
        found = await ours.workspace("shop")
        assert found is not None and found.timezone == timezone
    for version in (1, 2, 3):
        changed = replace(SEGMENT, version=version)
        await theirs.change_segment("shop", lambda _, to=changed: ("put", to))  # type: ignore[misc]
        see_once()
        assert await ours.segment("shop", "s") == changed
        if version == 2:
            assert (await ours.segments("shop")).segments == {"s": changed}
    await theirs.change_segment("shop", lambda _: ("delete", SEGMENT))
    see_once()
    assert await ours.segment("shop", "s") is None


async def test_a_request_sees_its_own_change(two: tuple[Catalog, Catalog]) -> None:
    ours, theirs = two
    see_once()
    assert (await ours.segments("shop")).segments == {}
    await theirs.change_segment("shop", lambda _: ("put", SEGMENT))
    other = replace(SEGMENT, id="t", name="T")
    await ours.change_segment("shop", lambda _: ("put", other))
    assert set((await ours.segments("shop")).segments) == {"s", "t"}


async def test_a_lost_catalogue_is_not_remembered(two: tuple[Catalog, Catalog]) -> None:
    ours, theirs = two
    await theirs.put_key(KEY)
    assert await ours.key(KEY.digest) == KEY
    await theirs._redis.flushall()
    assert await ours.key(KEY.digest) is None
