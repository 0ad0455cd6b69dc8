"""A page of the console, as a value. `pages/everything.py` lists all of them: what is listed there is
served, stands in the navigation, and is walked by the tests of accessibility and of hostile names.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec import Struct

from livesegments.console.visit import Visit


class Page(Struct, frozen=True, kw_only=True):
    """`path` may have parts in braces: `{id}` is a segment's id, `{profile:path}` a profile's (which may
    hold any character). `title`: of the browser's tab. `needs`: a scope without which the page is neither
    offered nor shown.
    `entry`: its name in the navigation; none: it is reached from another page. `under`: the path
    whose entry is the current one on it."""

    path: str
    title: str
    build: Callable[[Visit], Awaitable[None]]
    needs: str = "read"
    admin: bool = False
    """Only for admin keys."""
    entry: str = ""
    icon: str = ""
    """A name of Material Icons."""
    under: str = ""
