"""Where the files of exports are: a folder, or an object store, named by a URL as for the archive.

    EXPORTS/WORKSPACE/3f1c….csv

A file appears whole or not at all. The functions block, so a service runs them in threads.
"""

from __future__ import annotations

import shutil
from typing import IO, Any

from pyarrow import fs

from livesegments.history.archive import Archive

CHUNK = 1024 * 1024


class ExportFiles:
    """`url` as in `history.archive`."""

    def __init__(self, url: str) -> None:
        self._place = Archive(url)

    def put(self, workspace: str, name: str, whole: IO[bytes]) -> int:
        """Its bytes."""

        def fill(target: Any) -> None:
            shutil.copyfileobj(whole, target, CHUNK)

        folder = f"{self._place.root}/{workspace}"
        if self._place.is_local:
            self._place.files.create_dir(folder)
        return self._place.create(f"{folder}/{name}", fill)

    def open(self, workspace: str, name: str) -> IO[bytes]:
        """Raises FileNotFoundError where it is gone."""
        found: IO[bytes] = self._place.files.open_input_file(f"{self._place.root}/{workspace}/{name}")
        return found

    def remove(self, workspace: str, name: str) -> None:
        """A file that is not there any more is none to remove."""
        self._place.delete(f"{self._place.root}/{workspace}/{name}")

    def older(self, until_s: float) -> list[tuple[str, str]]:
        """(workspace, name) of those that were written before then (seconds since 1970)."""
        selector = fs.FileSelector(self._place.root, allow_not_found=True, recursive=True)
        found = []
        for info in self._place.files.get_file_info(selector):
            if info.type == fs.FileType.File and info.mtime.timestamp() < until_s:
                workspace, _, name = info.path.removeprefix(f"{self._place.root}/").partition("/")
                if name and "/" not in name:
                    found.append((workspace, name))
        return found
