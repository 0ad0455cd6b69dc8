"""Which methods a path has, for those who ask it by another one.

The framework names only those of the first of several routes of one path, and the OpenAPI document, which has
them all, takes two seconds to make. So they are noted here when the application is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from fastapi import APIRouter
from fastapi.routing import APIRoute
from msgspec import Struct


class Ways(Struct, frozen=True):
    """Templates of paths, the most literal ones first, each with its methods in alphabetical order."""

    of: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]

    def methods(self, path: str) -> tuple[str, ...]:
        """Empty: there is no such path."""
        return next((methods for fits, methods in self.of if fits.fullmatch(path)), ())


def ways_of(routers: Iterable[APIRouter]) -> Ways:
    found: dict[str, tuple[re.Pattern[str], set[str]]] = {}
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute) and route.include_in_schema:
                found.setdefault(route.path, (route.path_regex, set()))[1].update(route.methods or ())
    literal_first = sorted(found, key=lambda template: template.count("{"))
    return Ways(tuple((found[each][0], tuple(sorted(found[each][1]))) for each in literal_first))
