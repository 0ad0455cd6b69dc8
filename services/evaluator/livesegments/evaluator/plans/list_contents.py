"""The value lists of a workspace as an evaluator has them: parts of contents in, contents out."""

from __future__ import annotations

import structlog

from livesegments.core.value import Values
from livesegments.wire.catalog import Entry, ValueList, ValuePart

_log = structlog.get_logger(__name__)


class ListContents:
    """A content is put together from its parts when it is first asked for, and then shared by all plans."""

    def __init__(self) -> None:
        self._newest: dict[str, str] = {}
        self._parts: dict[str, dict[int, ValuePart]] = {}
        self._whole: dict[str, Values] = {}

    def take(self, entry: Entry | None, first: str, part: str = "") -> None:
        """`first` is a list's id, or the digest of the content that `part` belongs to; None deletes it."""
        match entry:
            case ValueList():
                self._newest[first] = entry.digest
            case ValuePart():
                self._parts.setdefault(first, {})[entry.part] = entry
            case _ if part:
                self._whole.pop(first, None)
                self._parts.pop(first, None)
            case _:
                self._newest.pop(first, None)

    def of(self, id_: str, digest: str) -> Values:
        """Raises KeyError."""
        found = self._whole.get(digest)
        if found is None:
            parts = self._parts[digest]
            found = Values(digest, [value for at in range(parts[0].parts) for value in parts[at].values])
            self._whole[digest] = found
        return found

    def nearest(self, id_: str, digest: str) -> Values:
        """The same for what is served: of a content that was dropped, the list's newest stands in for it."""
        try:
            return self.of(id_, digest)
        except KeyError:
            _log.error("the content of a value list that is served is not kept any more", value_list=id_)
        try:
            return self.of(id_, self._newest[id_])
        except KeyError:
            return Values(digest, ())
