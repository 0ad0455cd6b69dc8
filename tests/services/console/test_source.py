"""What no module of the console may do: take something that came in for markup or for code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOM = Path(__file__).parents[3] / "services" / "console"
MODULES = sorted(ROOM.rglob("*.py"))
FORBIDDEN = re.compile(
    r"ui\.(html|markdown|mermaid|restructured_text|chat_message)|\.props\(|add_slot|_to_markup"
)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(ROOM)))
def test_nothing_is_markup(module: Path) -> None:
    assert FORBIDDEN.findall(module.read_text()) == []
