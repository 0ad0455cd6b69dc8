"""What a form of one node has to do with: the node, how it is changed, and what can be offered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from livesegments.console.builder.known import Known
from livesegments.console.builder.later import Later
from livesegments.console.builder.pointer import Json, get, join
from livesegments.console.builder.seen import Path, Seen, offered

Offered = Callable[[str, dict[str, str]], Later]
"""The values of an attribute; the second: what is offered where they can't be asked."""
Put = Callable[[str, Any, bool], None]
"""Sets the value at a pointer; the last says that the form has another shape then."""


class Place:
    """A part of the definition that has a form, and the part itself whenever it is asked for: fields
    that were changed before are in it."""

    def __init__(
        self,
        pointer: str,
        look: Callable[[], Any],
        put: Put,
        known: Known,
        offered: Offered,
    ) -> None:
        self.pointer, self._look, self._put = pointer, look, put
        self._known, self._offered = known, offered

    @property
    def seen(self) -> Seen:
        return self._known.seen

    @property
    def value(self) -> Any:
        return get(self._look(), self.pointer)

    @property
    def node(self) -> Json:
        """Empty where it is gone: what comes late for a form finds no other part in its place."""
        try:
            found = self.value
        except LookupError:
            return {}
        return found if isinstance(found, dict) else {}

    def at(self, *path: str | int) -> Place:
        return Place(join(self.pointer, *path), self._look, self._put, self._known, self._offered)

    def become(self, value: Any, reshaped: bool = False) -> None:
        """The whole part is another one. `reshaped`: its form is made anew."""
        self._put(self.pointer, value, reshaped)

    def field(self, name: str, value: Any, reshaped: bool = False) -> None:
        self.become({**self.node, name: value}, reshaped)

    def without(self, *names: str, reshaped: bool = False) -> None:
        self.become({name: value for name, value in self.node.items() if name not in names}, reshaped)

    def reshape(self) -> None:
        """Its form is made anew: what is known of it is another by now."""
        self.become(self.value, reshaped=True)

    def seek(self, text: str) -> None:
        """Segments with this text in their name are offered soon, too."""
        self._known.seek(text)

    def offers(self, of: Callable[[Seen], dict[str, str]]) -> Later:
        """What `of` makes of the names that were seen, and of those that will be while the form is open."""
        return self._known.offers(of)

    def named(self, is_known: bool) -> None:
        """Another name stands in a field: others offer what belongs to it. One that is not known may have
        been seen meanwhile."""
        if is_known:
            self._known.refresh()
        else:
            self._known.renew()

    def values(self, attribute: str) -> Later:
        """The values of an attribute, with the number of profiles that have each."""
        path = self.attribute(attribute)
        if attribute not in self.seen.attributes:
            return Later({})
        return self._offered(attribute, dict.fromkeys(offered(path.values), ""))

    def attribute(self, name: Any) -> Path:
        return self.seen.attributes.get(name if isinstance(name, str) else "", Path())
