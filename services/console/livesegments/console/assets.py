"""The console's own files. Their path holds a digest of them, so browsers may keep them for ever."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

_FILES = sorted((Path(__file__).parent / "static").iterdir())
_DIGEST = sha256(b"".join(file.read_bytes() for file in _FILES)).hexdigest()[:12]

PATH = f"/_console/{_DIGEST}"
STYLES = ("console.css", "builder.css", "pages.css")
SCRIPTS = ("console.js", "builder.js", "dragging.js")
HEAD = "".join(
    [
        *(f'<link rel="stylesheet" href="{PATH}/{name}">\n' for name in STYLES),
        *(f'<script defer src="{PATH}/{name}"></script>\n' for name in SCRIPTS),
    ]
)
