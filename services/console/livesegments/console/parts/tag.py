"""An element of HTML with a text. What came in goes into texts and attribute values, which the browser
never reads as markup; so nothing here takes markup, and nothing takes `props("…")`, in whose strings a
`:name=` would be run as code.
"""

from __future__ import annotations

from nicegui.elements.mixins.text_element import TextElement

Value = str | int | float | bool | None


class Tag(TextElement):
    """`Tag("a", "Open", "button", href="/x", aria_label="Open it")`. An attribute that is None or False is
    left out."""

    def __init__(self, name: str, text: str = "", classes: str = "", **attributes: Value) -> None:
        super().__init__(tag=name, text=text)
        if classes:
            self.classes(classes)
        self.set(**attributes)

    def set(self, **attributes: Value) -> None:
        """Changes attributes; None and False take them away."""
        for name, value in attributes.items():
            key = name.rstrip("_").replace("_", "-")
            if value is None or value is False:
                self._props.pop(key, None)
            else:
                self._props[key] = "" if value is True else value
        self.update()


def heading(text: str, level: int = 1, classes: str = "") -> Tag:
    """A page has one of level 1."""
    return Tag(f"h{level}", text, classes)


def paragraph(text: str, classes: str = "") -> Tag:
    return Tag("p", text, classes)


def icon(name: str) -> Tag:
    """A picture beside a text that says the same."""
    return Tag("span", name, "icon", aria_hidden="true")


def link(text: str, path: str, classes: str = "", **attributes: Value) -> Tag:
    """To a page of the console: `path` comes from `paths`."""
    assert path.startswith(("/", "#", "?")) and not path.startswith("//"), path
    return Tag("a", text, classes, href=path, **attributes)


def badge(text: str, kind: str = "") -> Tag:
    """A state in a word. `kind`: `good`, `bad`, `warn`, or plain."""
    return Tag("span", text, f"badge {kind}")
