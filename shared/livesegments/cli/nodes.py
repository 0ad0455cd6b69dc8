"""Nodes of a definition by their pointers, in one line each."""

from __future__ import annotations

from typing import Any

import msgspec


def words(definition: Any, pointer: str) -> str:
    """The fields of a node as JSON, without those of the nodes below it."""
    node = definition
    for part in pointer.split("/")[1:]:
        node = node[int(part)] if isinstance(node, list) else node[part]
    rest = {name: value for name, value in node.items() if name not in ("of", "type")}
    return f"{node['type']} {msgspec.json.encode(rest).decode()}" if rest else str(node["type"])
