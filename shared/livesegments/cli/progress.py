"""A bar that shows how far something is."""

from __future__ import annotations

from typing import Any

from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn

from livesegments.cli import output

COUNT, BYTES = MofNCompleteColumn, DownloadColumn


def bar(numbers: Any) -> Progress:
    """On standard error, and only where that is a terminal. `numbers`: COUNT() or BYTES()."""
    columns = (TextColumn("{task.description}"), BarColumn(), numbers)
    return Progress(*columns, console=output.errors, disable=not output.errors.is_terminal)
