"""The same segment by a query over the same files, its members loaded into the same Redis.

`python bench/peer.py ARCHIVE REDIS NOW_MS` with an interpreter that has chdb and redis, which the product
doesn't need: `pip install chdb redis` somewhere, and `python -m bench backfill --peer THAT/bin/python`.
It prints the seconds of the query, of the query with the load, and how many members there are.
"""

from __future__ import annotations

import sys
import time

import chdb  # type: ignore[import-not-found]
from redis import Redis

CHUNK = 10_000
SETS = 8
HOUR_MS, DAY_MS = 3_600_000, 86_400_000


def query(archive: str, now_ms: int) -> str:
    return f"""
SELECT profile FROM (
  SELECT profile, name, toUnixTimestamp64Milli(time) AS t, properties
  FROM file('{archive}/events/v1/*/*.parquet', 'Parquet')
  WHERE workspace = 'bench' AND name IN ('email_opened', 'order_placed', 'cart_updated')
)
GROUP BY profile
HAVING countIf(name = 'email_opened' AND t + {30 * DAY_MS} > {now_ms}) >= 2
  AND sumIf(JSONExtractFloat(properties, 'total'), name = 'order_placed' AND t + {90 * DAY_MS} > {now_ms}) >= 50
  AND arrayExists(
    c -> NOT arrayExists(o -> o > c AND o <= c + {HOUR_MS}, groupArrayIf(t, name = 'order_placed')),
    groupArrayIf(t, name = 'cart_updated' AND t + {60 * DAY_MS} > {now_ms} AND t + {HOUR_MS} <= {now_ms})
  )
"""


def main() -> None:
    archive, url, now_ms = sys.argv[1], sys.argv[2], int(sys.argv[3])
    begun = time.perf_counter()
    members = str(chdb.query(query(archive, now_ms), "TSVRaw")).split()
    queried = time.perf_counter()
    with Redis.from_url(url) as redis:
        for start in range(0, len(members), CHUNK):
            pipe = redis.pipeline(transaction=False)
            sets: dict[int, dict[str, float]] = {}
            for member in members[start : start + CHUNK]:
                sets.setdefault(hash(member) % SETS, {})[member] = 0
            for number, share in sets.items():
                pipe.zadd(f"peer:{number}", share)
            pipe.execute()
    print(queried - begun, time.perf_counter() - begun, len(members))


if __name__ == "__main__":
    main()
