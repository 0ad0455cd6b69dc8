"""Secrets of webhooks as they lie in Redis and in topic `definitions`: sealed, where there is a key.

`Seal("NEW,OLD")` seals under NEW and opens what was sealed under either, so a key is replaced by putting
another one before it. What was written before there was a key is opened as it is.
"""

from __future__ import annotations

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

BEGIN = "sealed:"
REMEMBERED = 4_096


class Unopened(Exception):
    """It was sealed under none of our keys."""


class Seal:
    """`keys`: Fernet keys (`Fernet.generate_key()`) with commas between; empty: secrets lie as they are.

    Raises ValueError for what is no key."""

    def __init__(self, keys: str) -> None:
        found = [Fernet(each.strip()) for each in keys.split(",") if each.strip()]
        self._keys = MultiFernet(found) if found else None
        self.opened = lru_cache(REMEMBERED)(self._opened)
        """The secret itself. Raises Unopened."""

    def sealed(self, secret: str) -> str:
        if self._keys is None or secret.startswith(BEGIN):
            return secret
        return BEGIN + self._keys.encrypt(secret.encode()).decode()

    def anew(self, secret: str) -> str:
        """Under the first key, whichever it was sealed under; as it is, where nobody can open it."""
        try:
            return self.sealed(self.opened(secret))
        except Unopened:
            return secret

    def _opened(self, secret: str) -> str:
        if not secret.startswith(BEGIN):
            return secret
        try:
            if self._keys is not None:
                return self._keys.decrypt(secret.removeprefix(BEGIN).encode()).decode()
        except InvalidToken:
            pass
        raise Unopened(
            "a webhook's secret was sealed under another key: LIVESEGMENTS_SECRETS_KEY must be the api's"
        )


def new_key() -> str:
    return Fernet.generate_key().decode()
