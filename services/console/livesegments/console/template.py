"""NiceGUI's own page, made to fit the Content-Security-Policy: its scripts and styles carry the answer's
nonce.

The nonce is written into the template, not into the page that comes of it: what a page shows can't earn one.
"""

from __future__ import annotations

from typing import Any

from nicegui.client import templates

from livesegments.console.access.answer import nonce, theme

_NONCE = ' nonce="{{ csp_nonce() }}"'
_BODY = "{{ body_html | safe }}"


def install() -> None:
    """Once a process."""
    environment: Any = templates.env
    loader: Any = environment.loader
    source = loader.get_source

    def nonced(environment: Any, name: str) -> tuple[str, str, Any]:
        text, file, fresh = source(environment, name)
        for tag in ("script", "style"):
            text = text.replace(f"<{tag}", f"<{tag}{_NONCE}")
        text = text.replace("<html", '<html data-theme="{{ csp_theme() }}"')
        text = text.replace(_BODY, "{{ csp_body(body_html) | safe }}")
        return text, file, fresh

    loader.get_source = nonced
    environment.globals.update(csp_nonce=nonce.get, csp_theme=theme.get, csp_body=_body)


def _body(html: str) -> str:
    """NiceGUI puts the styles of its components there, and nothing that came in."""
    return html.replace("<style>", f'<style nonce="{nonce.get()}">')
