"""Logs on standard error: one JSON object a line, or for a person's eyes when that is a terminal.

The logs of libraries, through the standard library, go the same way. `configure` once, in a composition root;
elsewhere `structlog.get_logger(__name__)`, an event as a short sentence, facts as keyword arguments.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

import msgspec
import structlog

NOISY = ("aiokafka", "httpx", "uvicorn.access", "faust", "mode")
"""Libraries whose `info` is our `debug`."""


def configure(service: str, level: str = "info", stream: TextIO | None = None) -> None:
    """`service` is in every line. Another call replaces the former configuration."""
    stream = stream or sys.stderr
    common: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _named(service),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *common,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=common,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderer(stream)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING if level == "info" else level.upper())


def _renderer(stream: TextIO) -> list[Any]:
    if stream.isatty():
        return [structlog.dev.ConsoleRenderer(timestamp_key="time")]
    return [
        structlog.processors.format_exc_info,
        structlog.processors.EventRenamer("message"),
        structlog.processors.JSONRenderer(serializer=_json),
    ]


def _named(service: str) -> Any:
    def add(_logger: object, _method: str, line: dict[str, Any]) -> dict[str, Any]:
        return {"service": service} | line

    return add


def _json(line: dict[str, Any], **_: object) -> str:
    return msgspec.json.encode(line, enc_hook=repr).decode()
