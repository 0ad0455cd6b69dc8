"""Looks for a text in all that an installation keeps: every key of Redis, every file of a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq


async def in_redis(redis: Any, text: str) -> list[str]:
    """The keys that have it, in their name or in what they hold."""
    found = []
    for key in await redis.keys("*"):
        match (await redis.type(key)).decode():
            case "hash":
                content = await redis.hgetall(key)
            case "zset":
                content = await redis.zrange(key, 0, -1)
            case "stream":
                content = await redis.xrange(key)
            case "set":
                content = await redis.smembers(key)
            case "list":
                content = await redis.lrange(key, 0, -1)
            case _:
                content = await redis.get(key)
        if text in repr((key, content)):
            found.append(key.decode())
    return sorted(found)


def in_files(folder: Path, text: str) -> list[str]:
    """The files that have it, as they are or in what they hold compressed."""
    return sorted(str(path) for path in folder.rglob("*") if path.is_file() and text in _content(path))


def _content(path: Path) -> str:
    try:
        raw = repr(path.read_bytes())
        if path.suffix != ".parquet":
            return raw
        table = pq.read_table(path, partitioning=None)
        return f"{raw}{table.schema.metadata}{table.to_pylist()}{pq.read_metadata(path)}"
    except FileNotFoundError:  # it went while it was looked at, as older checkpoints do
        return ""
