"""What belongs to the answer that is being made: its nonce, and the theme of whoever asked."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextvars import ContextVar

THEME_COOKIE = "theme"
THEMES = ("light", "dark")

nonce: ContextVar[str] = ContextVar("nonce")
theme: ContextVar[str] = ContextVar("theme", default="auto")
"""`light`, `dark`, or `auto`: as the system has it."""


def begin(cookies: Mapping[str, str]) -> None:
    nonce.set(secrets.token_urlsafe(16))
    given = cookies.get(THEME_COOKIE, "")
    theme.set(given if given in THEMES else "auto")
