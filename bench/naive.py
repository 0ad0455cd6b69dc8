"""(c) The obvious Faust app: an agent, an event a record, a table of profiles, a loop over the segments.

It keeps the newest 50 events of a profile and asks every segment anew at each event; it leaves out what
it has no obvious way to do (sequences, leaving by the clock, order, exactly-once), so it does less.
`python -m bench.naive KAFKA TOPIC COUNT SEGMENTS` prints events per second.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from typing import Any

import faust
import msgspec

from bench import workload
from livesegments.core.event import Event

KEPT = 50


def holds(node: dict[str, Any], profile: dict[str, Any], now: int) -> bool:
    match node["type"]:
        case "all":
            return all(holds(child, profile, now) for child in node["of"])
        case "not":
            return not holds(node["of"], profile, now)
        case "attribute":
            value, wanted = profile["attributes"].get(node["name"]), node["value"]
            match node["op"]:
                case "eq":
                    return bool(value == wanted)
                case "in":
                    return value in wanted
                case "gt":
                    return value is not None and bool(value > wanted)
            return value is not None and bool(wanted[0] <= value <= wanted[1])
        case "event":
            return bool(_measured(node, profile, now) >= node.get("value", 1))
    return False


def _measured(node: dict[str, Any], profile: dict[str, Any], now: int) -> float:
    days = {"7d": 7, "14d": 14, "30d": 30, "1mo": 30, "2mo": 60, "90d": 90, "1y": 365}[node["window"]["last"]]
    since, filters = now - days * 86_400_000, node.get("where", ())
    found = [
        properties
        for name, at, properties in profile["events"]
        if name == node["name"] and at > since
        and all(properties.get(item["property"]) == item["value"] for item in filters)
    ]  # fmt: skip
    if node.get("measure", {}).get("of") == "sum":
        return float(sum(properties["total"] for properties in found))
    return len(found)


def main(kafka: str, topic: str, count: int, segments: int) -> None:
    definitions = workload.definitions(segments)
    folder = tempfile.mkdtemp(prefix="livesegments-naive-")
    app = faust.App(
        f"naive-{os.getpid()}", broker=f"kafka://{kafka}", store="memory://", datadir=folder,
        topic_partitions=8, web_enabled=False, topic_disable_leader=True, worker_redirect_stdouts=False,
    )  # fmt: skip
    source = app.topic(topic, key_serializer="raw", value_serializer="raw")
    table = app.Table("profiles", default=lambda: {"attributes": {}, "events": [], "in": []}, partitions=8)
    decoder = msgspec.msgpack.Decoder(Event)
    seen = 0
    started = 0.0

    @app.agent(source)
    async def evaluate(stream: Any) -> None:
        nonlocal seen, started
        async for value in stream:
            if not started:
                started = time.perf_counter()
            event = decoder.decode(value)
            profile = table[event.profile]
            if event.name == "$profile":
                profile["attributes"].update(event.properties["attributes"])
            else:
                profile["events"] = [
                    *profile["events"][1 - KEPT :],
                    (event.name, event.time_ms, event.properties),
                ]
            profile["in"] = [
                name for name, node in definitions.items() if holds(node, profile, event.time_ms)
            ]
            table[event.profile] = profile
            seen += 1
            if seen == count:
                print((seen - 1) / (time.perf_counter() - started), flush=True)
                os._exit(0)

    worker = faust.Worker(app, loglevel="error", quiet=True)
    worker.execute_from_commandline()


if __name__ == "__main__":
    asyncio.set_event_loop(asyncio.new_event_loop())
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
