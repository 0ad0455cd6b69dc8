"""The gate before everything that the console answers: the session, the origin, the headers.

- A page needs a session, else it leads to the sign-in page, and back afterwards.
- What changes something (POST), and every websocket, must come from a page of the console: `Origin` says so.
- A websocket belongs to the session of its page, and closes with it.
- Every answer has a Content-Security-Policy and its companions.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from livesegments.console.access import answer
from livesegments.console.access.headers import PLAIN, SECURE, STILL, page_policy
from livesegments.console.access.origin import SIGN_IN, Origin
from livesegments.console.access.sessions import Session, Sessions

SOCKET = "/_nicegui_ws/"
OPEN = ("/healthz", "/readyz", "/metrics", "/favicon.ico", SIGN_IN, "/sign-out")
"""Need no session."""
DROPPED = (b"x-forwarded-prefix",)
"""Headers that NiceGUI would write into pages."""
CLOSED_POLICY = 1008
"""A websocket's status: it may not be here."""

Owner = Callable[[str], Session | None]
"""The session of the page that has this id."""


class Guard:
    """ASGI middleware. `assets`: beginnings of the paths of files that everybody may have."""

    def __init__(
        self, app: ASGIApp, sessions: Sessions, origin: Origin, owner: Owner, assets: tuple[str, ...]
    ) -> None:
        self._app, self._sessions, self._origin, self._owner = app, sessions, origin, owner
        self._assets = assets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["headers"] = [each for each in scope["headers"] if each[0] not in DROPPED]
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
            return
        answer.begin(HTTPConnection(scope).cookies)
        refused = self._refused(scope)
        await (refused or self._app)(scope, receive, self._with_headers(scope, send))

    def token(self, scope: Scope) -> str | None:
        return HTTPConnection(scope).cookies.get(self._origin.cookie)

    def _refused(self, scope: Scope) -> Response | None:
        path = scope["path"]
        if scope["method"] not in ("GET", "HEAD") and not self._origin.is_ours(Headers(scope=scope)):
            return PlainTextResponse("This was not sent by a page of the console.", 403)
        if path in OPEN or path.startswith(self._assets):
            return None
        session = self._sessions.read(self.token(scope), acted=not path.startswith("/_nicegui"))
        if session is None:
            if path.startswith("/_nicegui"):
                return PlainTextResponse("Sign in first.", 401)
            query = scope["query_string"].decode("latin-1")
            back = quote(path) + (f"?{query}" if query else "")
            return RedirectResponse(f"{SIGN_IN}?next={quote(back, safe='')}", 303)
        scope.setdefault("state", {})["session"] = session
        if path.startswith(SOCKET) and not self._is_owner(scope, session):
            return PlainTextResponse("This page is of another session.", 403)
        return None

    def _is_owner(self, scope: Scope, session: Session) -> bool:
        page = parse_qs(scope["query_string"].decode("latin-1")).get("client_id", [""])[0]
        owner = self._owner(page)
        return owner is None or owner is session

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = self.token(scope)
        session = self._sessions.read(token)
        ours = self._origin.is_ours(Headers(scope=scope)) and scope["path"].startswith(SOCKET)
        if session is None or not ours or not self._is_owner(scope, session):
            await send({"type": "websocket.close", "code": CLOSED_POLICY})
            return

        async def received() -> Message:
            message = await receive()
            acted = str(message.get("text") or "").startswith('42["event"')
            if message["type"] == "websocket.receive" and self._sessions.read(token, acted) is None:
                return {"type": "websocket.disconnect", "code": CLOSED_POLICY}
            return message

        await self._app(scope, received, send)

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                is_page = "X-NiceGUI-Content" in headers
                headers["Content-Security-Policy"] = page_policy(answer.nonce.get()) if is_page else STILL
                headers.update(PLAIN)
                if self._origin.is_secure:
                    headers.update(SECURE)
                if not scope["path"].startswith(self._assets):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        return sent
