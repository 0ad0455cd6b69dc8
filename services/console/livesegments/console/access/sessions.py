"""Who is signed in. Example: a marketer signs in with an API key. The key stays here, in the memory of the
console's process; the browser gets a token, which names the session and opens nothing at the api.

- A session ends an hour after the last thing its owner did, at the latest half a day after its beginning
  (both by the settings), when they sign out, or when the api refuses the key. All pages that are open then
  go to the sign-in page.
- At most `MOST` sessions are kept: another one ends that which has been idle for longest.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from hashlib import sha256

from livesegments.client import AsyncClient
from livesegments.client.keys import OwnKey
from livesegments.client.workspaces import Workspace
from livesegments.runtime.clock import Clock

MOST = 10_000
TOKEN_BYTES = 32

Connect = Callable[[str, str | None], AsyncClient]
"""A client of the api, for a key and, with an admin key, a workspace."""


class Session:
    """One signing-in. `api` acts in `workspace`, which is None for an admin who has chosen none yet."""

    def __init__(self, key: str, own: OwnKey, connect: Connect, now_ms: int) -> None:
        self._key, self._connect = key, connect
        self.admin, self.scopes, self.workspace = own.admin, frozenset(own.scopes), own.workspace
        self.began_ms = self.seen_ms = now_ms
        self.known: Workspace | None = None
        """The workspace as a page read it last: pages have its name while the api is away."""
        self.over: str | None = None
        """Why it has ended: `expired`, `refused`, `out`."""
        self.endings: set[Callable[[str], None]] = set()
        """Called with the reason when it ends, by whoever has a page open."""
        self._clients: dict[str | None, AsyncClient] = {}

    def __repr__(self) -> str:
        return f"<session of {self.workspace or 'an admin'}>"  # never the key

    @property
    def api(self) -> AsyncClient:
        return self.acting(self.workspace)

    def acting(self, workspace: str | None) -> AsyncClient:
        """The client that acts in a workspace: only an admin's session has another one than its own."""
        named = workspace if self.admin else None
        if named not in self._clients:
            self._clients[named] = self._connect(self._key, named)
        return self._clients[named]

    def may(self, scope: str) -> bool:
        return scope in self.scopes

    def end(self, reason: str) -> None:
        """From now on it opens nothing; the key is forgotten."""
        if self.over is None:
            self.over, self._key = reason, ""
            for ending in list(self.endings):
                ending(reason)
            self.endings.clear()

    async def close(self) -> None:
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.close()


class Sessions:
    """The table of all sessions of this process. Tokens are kept as digests."""

    def __init__(self, connect: Connect, now_ms: Clock, idle_ms: int, life_ms: int, most: int = MOST) -> None:
        self._connect, self._now_ms = connect, now_ms
        self._idle_ms, self._life_ms, self._most = idle_ms, life_ms, most
        self._open: dict[bytes, Session] = {}
        self._ended: list[Session] = []

    def __len__(self) -> int:
        return len(self._open)

    def begin(self, key: str, own: OwnKey) -> str:
        """The token for the cookie of a new session."""
        if len(self._open) >= self._most:
            self.sweep()
        if len(self._open) >= self._most:
            idlest = min(self._open, key=lambda each: self._open[each].seen_ms)
            self._end(idlest, "expired")
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self._open[_digest(token)] = Session(key, own, self._connect, self._now_ms())
        return token

    def read(self, token: str | None, acted: bool = False) -> Session | None:
        """The session that is open under a token. `acted`: its owner has just done something."""
        if token is None:
            return None
        name = _digest(token)
        session = self._open.get(name)
        if session is None:
            return None
        if session.over is not None or self._is_old(session):
            self._end(name, session.over or "expired")
            return None
        if acted:
            session.seen_ms = self._now_ms()
        return session

    def end(self, token: str | None, reason: str) -> None:
        if token is not None and (name := _digest(token)) in self._open:
            self._end(name, reason)

    def sweep(self) -> None:
        """Ends those that are too old, and forgets those that have ended."""
        for name, session in list(self._open.items()):
            if session.over is not None or self._is_old(session):
                self._end(name, session.over or "expired")

    async def close_ended(self) -> None:
        """Closes the connections of those that have ended."""
        ended, self._ended = self._ended, []
        for session in ended:
            await session.close()

    async def close(self) -> None:
        for name in list(self._open):
            self._end(name, "expired")
        await self.close_ended()

    def _is_old(self, session: Session) -> bool:
        now = self._now_ms()
        return now - session.seen_ms >= self._idle_ms or now - session.began_ms >= self._life_ms

    def _end(self, name: bytes, reason: str) -> None:
        session = self._open.pop(name)
        session.end(reason)
        self._ended.append(session)


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogateescape")).digest()
