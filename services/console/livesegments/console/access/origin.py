"""Where a request comes from, and where it may be sent on to."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

SIGN_IN = "/sign-in"


class Origin:
    """Of the console. `url`: as browsers have it; empty: the address that they ask for is taken to be it."""

    def __init__(self, url: str = "") -> None:
        parts = urlsplit(url)
        self._given = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
        self.is_secure = parts.scheme == "https"

    @property
    def cookie(self) -> str:
        """The name of the session's cookie. A browser takes a `__Host-` cookie only from this very host, by
        https."""
        return "__Host-livesegments" if self.is_secure else "livesegments"

    def is_ours(self, headers: Mapping[str, str]) -> bool:
        """Whether a request that changes something, or opens a websocket, was sent by a page of the console.

        Browsers say so in `Origin`; a request without one comes from no page of any browser, and is refused
        too.
        """
        origin = headers.get("origin", "")
        if self._given:
            return origin == self._given
        host = headers.get("host", "")
        return bool(host) and origin in (f"http://{host}", f"https://{host}")


def local(path: str | None) -> str:
    """Where to go on to after signing in: a path of this host, else the beginning."""
    if not path or not path.isprintable() or not path.startswith("/"):
        return "/"
    if path[1:2] in ("/", "\\") or path.startswith((SIGN_IN, "/sign-out")):
        return "/"
    return path
