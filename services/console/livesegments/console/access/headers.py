"""What every answer says to the browser about what it may do with it.

Scripts run only from this host, or inline where they carry the answer's nonce. NiceGUI needs `unsafe-eval`
(Vue compiles templates in the browser, and event handlers come as text) and `unsafe-inline` for style
attributes; ADR 0045 has the whole.
"""

from __future__ import annotations

PLAIN = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
SECURE = {"Strict-Transport-Security": "max-age=31536000"}
_COMMON = "default-src 'none'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action 'self'"
STILL = f"{_COMMON}; style-src 'self'; img-src 'self'; font-src 'self'"
"""The policy of an answer without scripts, such as the sign-in page."""


def page_policy(nonce: str) -> str:
    """The policy of a page of NiceGUI."""
    return (
        f"{_COMMON}; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self' 'nonce-{nonce}'; "
        "style-src-attr 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'"
    )
