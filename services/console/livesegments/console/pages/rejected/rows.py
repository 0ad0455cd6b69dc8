"""Refusals as rows of texts, and raw bytes as something that can be read."""

from __future__ import annotations

import base64
from contextlib import suppress
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from livesegments.client.rejected import Refusal, RefusalWhole
from livesegments.console import formats

LONGEST_RAW = 100_000
"""Characters of a raw item that are shown."""
HEX = 4_096
"""Bytes of an item that is no text that are shown."""


class Row(Struct, frozen=True):
    id: str
    when: str
    code: str
    reason: str
    text: str
    partial: bool
    replayable: bool


def row(it: Refusal, zone: ZoneInfo) -> Row:
    text = " ".join((it.text or f"{formats.number(it.raw_bytes)} bytes that are no text").split())
    return Row(
        it.id, formats.exact(it.at, zone), it.code, formats.short(it.reason), formats.short(text, 160),
        it.partial, it.replayable,
    )  # fmt: skip


def raw(it: RefusalWhole) -> str:
    """JSON in lines, other texts as they are, all else as hexadecimal numbers."""
    data = base64.b64decode(it.raw)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        more = " …" if len(data) > HEX else ""
        return data[:HEX].hex(" ") + more
    with suppress(msgspec.MsgspecError):
        text = msgspec.json.format(text, indent=2)
    return text if len(text) <= LONGEST_RAW else f"{text[:LONGEST_RAW]}\n…"
