"""A new segment, and another definition of one that is there."""

from __future__ import annotations

import json
from typing import Any

from livesegments.client import Invalid, PreconditionFailed, segments
from livesegments.client.errors import Refused
from livesegments.console import paths
from livesegments.console.builder import loading
from livesegments.console.builder.drafts import Draft, Drafts
from livesegments.console.builder.known import Known
from livesegments.console.builder.view.editor import Editor
from livesegments.console.builder.view.list_editor import ListEditor
from livesegments.console.formats import short
from livesegments.console.parts.button import button, link_button
from livesegments.console.parts.tag import Tag, heading, link
from livesegments.console.visit import Visit, words
from livesegments.core.sentence.nodes import sentence

DRAFTS = Drafts()
MOST_SHOWN = 5


def begun(visit: Visit, draft: Draft) -> str:
    """Keeps a draft of a new segment; the path where it is written on."""
    DRAFTS.keep(visit.session, draft)
    return paths.with_query(paths.NEW_SEGMENT, draft=draft.id)


async def new(visit: Visit) -> None:
    draft = _found(visit, None)
    if draft is None:
        others = DRAFTS.unsaved(visit.session, visit.workspace.id)
        draft = _kept(visit, Draft(visit.workspace.id))
        _others(others, paths.NEW_SEGMENT)
    await _show(visit, draft, "New segment", paths.SEGMENTS)


async def edit(visit: Visit) -> None:
    id_ = visit.part("id")
    segment = await visit.api.send(segments.read(id_))
    draft = _found(visit, id_)
    if draft is None:
        others = DRAFTS.unsaved(visit.session, visit.workspace.id, id_)
        draft = _kept(visit, loading.draft_of(visit.workspace.id, segment))
        _others(others, paths.edit_segment(id_))
    await _show(visit, draft, f"Edit {short(segment.name, 120)}", paths.segment(id_))


def _found(visit: Visit, segment: str | None) -> Draft | None:
    return DRAFTS.find(visit.session, visit.query("draft"), visit.workspace.id, segment)


def _kept(visit: Visit, draft: Draft) -> Draft:
    """The address names it from now on, so a reload comes back to it."""
    visit.client.run_javascript(f"window.livesegments.builder.named({json.dumps(draft.id)})")
    return DRAFTS.keep(visit.session, draft)


def _others(drafts: list[Draft], path: str) -> None:
    if not drafts:
        return
    with Tag("p", "Begun and not saved: ", "muted small break"):
        for index, each in enumerate(drafts[:MOST_SHOWN]):
            if index:
                Tag("span", " · ")
            said = sentence(each.definition) if each.segment or not each.name else each.name
            link(short(said, 60), paths.with_query(path, draft=each.id), "break")


async def _show(visit: Visit, draft: Draft, title: str, back: str) -> None:
    seen = await loading.seen(visit.api, draft.definition)

    def focus(at: str) -> None:
        visit.client.run_javascript(f"window.livesegments.builder.focus({json.dumps(at)})")

    known = Known(
        seen,
        lambda before: loading.seen_again(visit.api, before),
        find=lambda text: loading.segments_with(visit.api, text),
    )
    editor = ListEditor(draft, seen) if draft.is_static else Editor(draft, known, visit.api, focus)
    saving = _Saving(visit, draft, editor)
    with Tag("div", "", "page-head"):
        heading(title, classes="break")
        with Tag("div", "", "row"):
            link_button("Cancel", back, "quiet")
            button("Save", saving.save, "primary", "check")
    saving.conflict = Tag("div", "", "conflict", role="status")
    editor.build()
    visit.client.on_delete(editor.stop)


class _Saving:
    conflict: Tag

    def __init__(self, visit: Visit, draft: Draft, editor: Editor | ListEditor) -> None:
        self._visit, self._draft, self._editor = visit, draft, editor

    async def save(self) -> None:
        draft = self._draft
        if not draft.name.strip():
            self._visit.say("The segment has no name yet.", bad=True)
            self._editor.details.focus_name(self._visit.client)
            return
        self._editor.details.show([])
        try:
            made = await self._visit.api.send(self._request())
        except PreconditionFailed as error:
            await self._outdated(error)
        except Refused as error:
            if not error.faults:
                raise
            self._editor.refused([*error.faults])
            several = isinstance(error, Invalid) and len(error.faults) > 1
            said = "Some things are to be corrected first." if several else words(error)
            self._visit.say(said, bad=True)
        else:
            DRAFTS.drop(self._visit.session, draft.id)
            self._visit.go(paths.segment(made.id))

    def _request(self) -> Any:
        """Of an edit, what has changed. Where who would enter and leave was shown, just that is demanded."""
        draft, plan = self._draft, self._editor.known.plan
        said = draft.said()
        if draft.segment is None:
            return segments.create(definition=draft.definition, **said)
        changes: dict[str, Any] = {
            name: value for name, value in said.items() if value != draft.written[name]
        }
        if self._editor.is_changed:
            changes["definition"] = draft.definition
        promised = plan.plan if plan is not None and "definition" in changes else None
        return segments.edit(draft.segment, if_match=draft.version, if_plan_match=promised, **changes)

    async def _outdated(self, error: PreconditionFailed) -> None:
        """Somebody saved another version meanwhile, or other profiles would enter and leave by now."""
        draft = self._draft
        assert draft.segment is not None
        now = await self._visit.api.send(segments.read(draft.segment))
        if now.version == draft.version:
            self._editor.ask_again()
            self._visit.say(f"{words(error)} The numbers are counted again; save once more then.", bad=True)
            return

        def take_theirs() -> None:
            DRAFTS.drop(self._visit.session, draft.id)
            self._visit.go(paths.edit_segment(now.id))

        def keep_mine() -> None:
            draft.version = now.version
            self.conflict.clear()
            self._editor.ask_again()
            self._visit.say("Saving replaces the other version now.")

        self.conflict.clear()
        with self.conflict, Tag("div", "", "banner row"):
            Tag("span", "Somebody else has saved this segment since you opened it.", "grow")
            button("See theirs", take_theirs)
            button("Keep mine", keep_mine)
