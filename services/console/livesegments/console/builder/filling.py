"""A template's definition with its parameters: `{"parameter": "quiet"}` stands for the value of one. Pure."""

from __future__ import annotations

from typing import Any


def filled(part: Any, values: dict[str, Any]) -> Any:
    if isinstance(part, list):
        return [filled(each, values) for each in part]
    if not isinstance(part, dict):
        return part
    if part.keys() == {"parameter"} and part["parameter"] in values:
        return values[part["parameter"]]
    return {name: filled(each, values) for name, each in part.items()}
