"""Dialogs: HTML's own, which keep the focus inside, end with Escape, and give it back where it was. Example:

await_sure = Dialog("Archive Buyers?")
with await_sure.body: paragraph("Nothing is evaluated for it until it is taken up again.")
await_sure.offer("Archive", archive)
await_sure.open()
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable

from nicegui import context, ui

from livesegments.client import ApiError, Unauthorized
from livesegments.console.parts.button import Kind, button
from livesegments.console.parts.tag import Tag
from livesegments.console.visit import Visit, words

Done = Callable[[], Awaitable[None] | None]


class Dialog:
    """Made anew for every use; it goes when it is closed. What it says goes into `body`."""

    def __init__(self, visit: Visit, title: str) -> None:
        self._visit = visit
        self._client = context.client
        with visit.frame.content:
            self._dialog = Tag("dialog", "", "", aria_labelledby="")
        self._dialog.set(aria_labelledby=f"d{self._dialog.id}")
        with self._dialog:
            Tag("h2", title, id=f"d{self._dialog.id}")
            self.body = Tag("div", "", "stack")
            self._fault = Tag("p", "", "fault", role="alert")
            self._progress = Tag("progress", aria_label="Under way", hidden=True)
            self._buttons = Tag("div", "", "buttons")
        self._dialog.on("close", self._gone, args=[])

    def offer(self, text: str, action: Done, kind: Kind = "primary") -> Dialog:
        """A button that does something and then closes the dialog. While it is done, a bar moves and the
        buttons are off; a fault of the api is shown, and the dialog stays."""
        with self._buttons:
            if not self._buttons.default_slot.children:
                button("Cancel", self.close)

            async def act() -> None:
                await self._act(action)

            button(text, act, kind)
        return self

    def offer_close(self) -> Dialog:
        """Only a button that closes it: there is nothing to decide."""
        with self._buttons:
            button("Close", self.close, "primary")
        return self

    def open(self) -> None:
        self._client.run_javascript(f"getHtmlElement({self._dialog.id}).showModal()")

    def close(self) -> None:
        self._client.run_javascript(f"getHtmlElement({self._dialog.id})?.close()")

    def refuse(self, message: str) -> None:
        self._fault.text = message

    async def _act(self, action: Done) -> None:
        self._busy(True)
        try:
            result = action()
            if inspect.isawaitable(result):
                await result
        except Unauthorized:
            self._visit.session.end("refused")
        except ApiError as error:
            self.refuse(words(error))
            return
        except Refuse as refused:
            self.refuse(str(refused))
            return
        finally:
            self._busy(False)
        self.close()

    def _busy(self, is_busy: bool) -> None:
        if is_busy:
            self._fault.text = ""
        self._progress.set(hidden=None if is_busy else True)
        for each in self._buttons.default_slot.children:
            if isinstance(each, Tag):
                each.set(disabled=is_busy)

    def _gone(self) -> None:
        ui.timer(0, self._dialog.delete, once=True)


class Refuse(Exception):
    """Raised by an action: the dialog stays, and says why."""
