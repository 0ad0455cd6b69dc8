"""A bound on the bytes that are held at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from livesegments.ingest.packer import Busy


class Budget:
    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0

    @contextmanager
    def of(self, size: int) -> Iterator[None]:
        """Holds `size` bytes while entered. Raises Busy if that would be too many."""
        if self._held + size > self._most:
            raise Busy
        self._held += size
        try:
            yield
        finally:
            self._held -= size
