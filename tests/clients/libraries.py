"""The client libraries that the tests of this folder run, each at an exact version; docs/clients.md lists them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from msgspec import Struct

HERE = Path(__file__).parent


class Library(Struct, frozen=True):
    """`module` is what a program imports. `lock` has the hashes of the package and of all that it needs."""

    name: str
    package: str
    version: str
    language: Literal["Python", "JavaScript"]
    module: str
    lock: Path

    def __str__(self) -> str:
        return f"{self.package} {self.version}"


def _python(name: str, package: str, version: str, module: str, lock: str) -> Library:
    return Library(name, package, version, "Python", module, HERE / "python" / lock)


def _javascript(name: str, package: str, version: str, module: str) -> Library:
    return Library(name, package, version, "JavaScript", module, HERE / "javascript" / "package-lock.json")


PYTHON = (
    _python("Segment Python", "segment-analytics-python", "2.4.0", "segment.analytics.client", "segment.txt"),
    _python(
        "Segment Python", "segment-analytics-python", "2.3.3", "segment.analytics.client", "segment-older.txt"
    ),
    _python(
        "RudderStack Python", "rudder-sdk-python", "2.1.9", "rudderstack.analytics.client", "rudderstack.txt"
    ),
    _python(
        "Customer.io Python",
        "customerio-cdp-analytics",
        "1.1.0",
        "customerio.analytics.client",
        "customerio.txt",
    ),
)
NODE = _javascript("Segment Node", "@segment/analytics-node", "3.1.0", "@segment/analytics-node")
BROWSER = (
    _javascript("Segment browser", "@segment/analytics-next", "1.84.3", "@segment/analytics-next"),
    _javascript("Segment browser", "@segment/analytics-next", "1.82.0", "analytics-next-older"),
)
LIBRARIES = (*PYTHON, NODE, *BROWSER)
