"""README's figures: the part of bench/RESULTS.md that a newcomer wants to see, never typed by hand."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
FIRST, LAST = "## Throughput\n", "## The core alone\n"
_BLOCK = re.compile(r"(<!-- figures: [^>]*-->\n).*(<!-- /figures -->)", re.DOTALL)


def figures(page: str) -> str:
    """The figures of a page of results, one heading deeper. Raises ValueError if they are not in it."""
    part = page[page.index(FIRST) : page.index(LAST)]
    deeper = re.sub(r"^## ", "### ", part, flags=re.MULTILINE).strip()
    return f"[bench/RESULTS.md](bench/RESULTS.md) has all of them, and where the time goes.\n\n{deeper}\n"


def inserted(readme: str, page: str) -> str:
    """The README with these figures in the place of those before."""
    return _BLOCK.sub(lambda block: block[1] + figures(page) + block[2], readme)


def refresh(page: str) -> None:
    README.write_text(inserted(README.read_text(), page))
