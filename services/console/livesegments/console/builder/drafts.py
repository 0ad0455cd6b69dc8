"""Segments that are being written. A reload, a broken connection or the back button lose nothing of
them, nor the undos.

They are kept in the console's memory and belong to a session: what a marketer writes may name
customers, so it is left in no browser's storage, and it goes when the session ends. The address names
the draft (`?draft=…`), so two tabs are two drafts. A session has at most `MOST` drafts; another one
takes the place of that which was used least lately.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from typing import Any
from weakref import WeakKeyDictionary

from livesegments.console.builder.history import History, same
from livesegments.console.builder.rows import empty

MOST = 20


class Draft:
    """A definition with its history, and what the segment is called. `segment`: the id of the segment
    that it edits; None: it is a new one. `version`, `original`: the version and the definition that
    were read."""

    def __init__(self, workspace: str, segment: str | None = None, definition: Any = None) -> None:
        self.id = secrets.token_urlsafe(9)
        self.workspace, self.segment = workspace, segment
        self.history = History(empty() if definition is None else definition)
        self.original = self.history.present
        self.version = 0
        self.is_static = False
        """A list has a name and no definition."""
        self.name = self.description = self.folder = ""
        self.tags: list[str] = []
        self.topics: list[str] = []
        self.written: dict[str, Any] = self.said()
        """The name and so on as they were read."""
        self.opened: str | None = None
        """The pointer of the row whose form is open."""

    @property
    def definition(self) -> Any:
        return self.history.present

    @property
    def is_changed(self) -> bool:
        """Whether there is anything in it that has not been saved."""
        return not same(self.definition, self.original) or self.said() != self.written

    def said(self) -> dict[str, Any]:
        """What the segment is called."""
        return {
            "name": self.name,
            "description": self.description,
            "folder": self.folder,
            "tags": [*self.tags],
            "topics": [*self.topics],
        }

    def read(self, said: dict[str, Any]) -> None:
        """Takes over what the segment is called."""
        self.name, self.description, self.folder = said["name"], said["description"], said["folder"]
        self.tags, self.topics = [*said["tags"]], [*said["topics"]]
        self.written = self.said()


class Drafts:
    """By session, which is any object that lives as long as somebody is signed in."""

    def __init__(self) -> None:
        self._of: WeakKeyDictionary[Any, OrderedDict[str, Draft]] = WeakKeyDictionary()

    def __len__(self) -> int:
        return len(self._of)

    def keep(self, session: Any, draft: Draft) -> Draft:
        kept = self._of.setdefault(session, OrderedDict())
        kept[draft.id] = draft
        while len(kept) > MOST:
            kept.popitem(last=False)
        return draft

    def find(self, session: Any, id_: str, workspace: str, segment: str | None) -> Draft | None:
        """None: there is none, or it is one of another segment."""
        kept = self._of.get(session, OrderedDict())
        draft = kept.get(id_)
        if draft is None or (draft.workspace, draft.segment) != (workspace, segment):
            return None
        kept.move_to_end(id_)
        return draft

    def unsaved(self, session: Any, workspace: str, segment: str | None = None) -> list[Draft]:
        """What was begun and not saved, the latest first: of a segment, or of new ones."""
        kept = self._of.get(session, OrderedDict())
        return [
            each
            for each in reversed(kept.values())
            if (each.workspace, each.segment) == (workspace, segment) and each.is_changed
        ]

    def drop(self, session: Any, id_: str) -> None:
        self._of.get(session, OrderedDict()).pop(id_, None)
