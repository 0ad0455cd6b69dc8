"""Signing in and out: plain pages without scripts, so they work wherever a form does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from livesegments.client import ApiError, AsyncClient, Unauthorized, keys
from livesegments.client.keys import OwnKey
from livesegments.console.access.attempts import Attempts
from livesegments.console.access.origin import SIGN_IN, Origin, local
from livesegments.console.access.sessions import Sessions
from livesegments.runtime import metrics

FORM = Template((Path(__file__).parents[1] / "static" / "sign-in.html").read_text())
MOST_BYTES = 16_384
"""A form that is longer is refused unread."""
LONGEST_KEY = 512
REASONS = {
    "expired": "You were signed out, since nothing was done for a while. Sign in to go on where you were.",
    "refused": "The api does not take that key any more. Sign in with another to go on where you were.",
    "out": "You have signed out.",
}

Ask = Callable[[str], Awaitable[OwnKey]]
"""What the api says of a key. Raises ApiError."""


def asking(connect: Callable[[str, str | None], AsyncClient]) -> Ask:
    async def ask(key: str) -> OwnKey:
        async with connect(key, None) as api:
            return await api.send(keys.own())

    return ask


def routes(sessions: Sessions, attempts: Attempts, origin: Origin, ask: Ask, assets: str) -> list[Route]:
    """`assets`: the path of the console's own files."""

    def form(status: int, message: str, back: str, fault: bool = True, wait_s: int = 0) -> Response:
        role = "alert" if fault else "status"
        shown = f'<p role="{role}" id="message" class="message">{escape(message)}</p>' if message else ""
        text = FORM.substitute(assets=assets, message=shown, next=escape(back, quote=True), path=SIGN_IN)
        headers = {"Retry-After": str(wait_s)} if wait_s else None
        return HTMLResponse(text, status, headers)

    async def show(request: Request) -> Response:
        back = local(request.query_params.get("next"))
        if sessions.read(request.cookies.get(origin.cookie)) is not None:
            return RedirectResponse(back, 303)
        return form(200, REASONS.get(request.query_params.get("reason", ""), ""), back, fault=False)

    async def sign_in(request: Request) -> Response:
        try:
            given = await _fields(request)
        except ValueError:
            return form(400, "The form could not be read. Try again.", "/")
        back, key = local(given.get("next")), given.get("key", "").strip()
        address = request.client.host if request.client else ""
        if wait_s := attempts.wait_s(address):
            metrics.CONSOLE_SIGN_INS.labels("too_many").inc()
            return form(429, f"Too many keys were wrong. Try again in {wait_s} seconds.", back, True, wait_s)
        if not key or len(key) > LONGEST_KEY or not (key.isascii() and key.isprintable()):
            return form(422, "Give an API key: letters and digits without spaces.", back)
        try:
            own = await ask(key)
        except Unauthorized:
            attempts.failed(address)
            metrics.CONSOLE_SIGN_INS.labels("wrong_key").inc()
            return form(401, "The api does not know this key, or it was revoked.", back)
        except ApiError:
            metrics.CONSOLE_SIGN_INS.labels("no_answer").inc()
            return form(503, "The api does not answer. Try again in a moment.", back)
        if not own.scopes or own.scopes == ["ingest"]:
            return form(403, "This key may only send events. Give one that has the scope `read`.", back)
        attempts.succeeded(address)
        metrics.CONSOLE_SIGN_INS.labels("ok").inc()
        sessions.end(request.cookies.get(origin.cookie), "out")
        answer = RedirectResponse(back, 303)
        answer.set_cookie(
            origin.cookie, sessions.begin(key, own), httponly=True, samesite="lax", secure=origin.is_secure
        )
        return answer

    async def sign_out(request: Request) -> Response:
        sessions.end(request.cookies.get(origin.cookie), "out")
        answer = RedirectResponse(f"{SIGN_IN}?reason=out", 303)
        answer.delete_cookie(origin.cookie, httponly=True, samesite="lax", secure=origin.is_secure)
        return answer

    return [
        Route(SIGN_IN, show, methods=["GET"]),
        Route(SIGN_IN, sign_in, methods=["POST"]),
        Route("/sign-out", sign_out, methods=["POST"]),
    ]


async def _fields(request: Request) -> dict[str, str]:
    """Of a form. Raises ValueError when it is none, or too long."""
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                raise ValueError("too long")
    except ClientDisconnect as error:
        raise ValueError("cut off") from error
    fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=10)
    return {name: values[0] for name, values in fields.items()}
