"""Who acts in the present task: a request sets it once, and whatever it writes says so.

Example: key `sender` sends a PATCH; the definition that it writes, and the entry of the audit log beside it,
name `sender`. Tasks that a request begins act in the same name.
"""

from __future__ import annotations

from contextvars import ContextVar

from msgspec import Struct


class Actor(Struct, frozen=True):
    """`name` is the key's, `key` its id (the beginning of its digest), `request` the id of the request. All
    empty: the services themselves."""

    name: str = ""
    key: str = ""
    request: str = ""


_actor: ContextVar[Actor | None] = ContextVar("actor", default=None)
_meant: ContextVar[str] = ContextVar("meant", default="")


def act_as(who: Actor) -> None:
    """From here on the present task acts in this name."""
    _actor.set(who)


def acting() -> Actor:
    return _actor.get() or Actor()


def means(action: str) -> None:
    """What the present task does is more than an edit: `rollback`, say."""
    _meant.set(action)


def meant() -> str:
    """Empty: nothing more was said."""
    return _meant.get()
