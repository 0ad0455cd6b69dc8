"""Segments that come and go: created, edited, reinstated, deleted, in an order that makes no circles."""

from __future__ import annotations

from hypothesis import strategies as st
from msgspec import Struct

from tests.properties.aim import leaves
from tests.properties.definitions import IDS, STATIC, Draw, Json, definitions


class Put(Struct, frozen=True):
    """A segment is created or edited; None: it is static. `lazily`: the profile is brought up later."""

    segment: str
    definition: Json | None
    lazily: bool = False


class Delete(Struct, frozen=True):
    segment: str
    lazily: bool = False


class Catalogue:
    """The segments that stand now: the definition of each, and the others that it names."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._stands: dict[str, tuple[Json | None, tuple[str, ...]]] = {}

    def put(self) -> list[Put | Delete]:
        segment = self._draw(st.sampled_from((*IDS, *IDS, *STATIC)))
        lazily = self._draw(st.integers(0, 3)) == 0
        if segment in STATIC:
            anew = self._anew(segment) if segment in self._stands else []
            self._stands[segment] = None, ()
            return [*anew, Put(segment, None, lazily)]
        before = tuple(sorted(other for other in self._stands if other < segment or other in STATIC))
        definition = self._draw(definitions(before, segment == IDS[-1]))
        if segment in self._stands and self._draw(st.integers(0, 3)) == 0:
            # only for a moment, which a sleeping profile may miss
            return [Put(segment, definition, lazily=True), Put(segment, self._stands[segment][0], lazily)]
        named = tuple(other for other in before if f"'{other}'" in str(definition))
        self._stands[segment] = definition, named
        return [Put(segment, definition, lazily)]

    def _anew(self, segment: str) -> list[Put | Delete]:
        """A static segment goes, before it is made anew: its id may be that of a dynamic one in between."""
        if segment in self._used() or self._draw(st.booleans()):
            return []
        gone: list[Put | Delete] = [Delete(segment, self._draw(st.booleans()))]
        if self._draw(st.booleans()):
            between = self._draw(definitions((), False))
            gone += [
                Put(segment, between, self._draw(st.booleans())),
                Delete(segment, self._draw(st.booleans())),
            ]
        return gone

    def _used(self) -> set[str]:
        return {other for _, named in self._stands.values() for other in named}

    def delete(self) -> list[Delete]:
        """A segment that no other names, if there is one."""
        free = sorted(self._stands.keys() - self._used())
        if not free:
            return []
        segment = self._draw(st.sampled_from(free))
        del self._stands[segment]
        return [Delete(segment, self._draw(st.booleans()))]

    def leaves(self) -> list[Json]:
        """All conditions that stand now."""
        return [leaf for definition, _ in self._stands.values() if definition for leaf in leaves(definition)]
