"""What somebody has filled in for a source, as the request that it comes to: pure. A password is never part
of it: a connection is named, and the deployment keeps what opens it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from livesegments.client import sources
from livesegments.client.request import Request
from livesegments.client.sources import Source

FROM = {
    "connection": "A connection of the deployment",
    "url": "A file at a public address",
    "path": "A file of the api's folder",
}
WHAT = {"table": "A table or a view", "query": "A query", "": "The file that it leads to"}
FORMS = {"csv": "CSV", "ndjson": "NDJSON"}
EVERY = {
    "0": "When it is asked for",
    "3600": "Every hour",
    "21600": "Every six hours",
    "86400": "Every day",
    "604800": "Every week",
}


class Wrong(ValueError):
    """`name`: of the field that is wrong."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class Form(Struct):
    """Texts as they were typed. `origin`: a key of FROM; `what`: of WHAT. `most_gone`: in percent."""

    origin: str = "connection"
    connection: str = ""
    what: str = "table"
    table: str = ""
    query: str = ""
    url: str = ""
    path: str = ""
    format: str = "csv"
    column: str = ""
    every: str = "86400"
    most_gone: str = "50"

    def request(self, segment: str) -> Request[Source]:
        """Only what belongs to the chosen origin is sent. Raises Wrong for the first field that can't be; the
        api says what else is wrong."""
        given = {self.origin: getattr(self, self.origin).strip()}
        if not given[self.origin]:
            said = {
                "connection": "Choose a connection.",
                "url": "Give the address.",
                "path": "Give the path.",
            }
            raise Wrong(self.origin, said[self.origin])
        if self.origin == "connection" and self.what:
            given[self.what] = getattr(self, self.what).strip()
            if not given[self.what]:
                raise Wrong(self.what, f"Say which {self.what}.")
        column = self.column.strip()
        if "table" in given and not column:
            raise Wrong("column", "Say which column of the table has the ids.")
        form: Literal["csv", "ndjson"] = "ndjson" if self.format == "ndjson" else "csv"
        return sources.write(
            segment, format=form, column=column, every_s=_every(self.every), most_gone=_share(self.most_gone),
            **given,
        )  # fmt: skip


def of(it: Source) -> Form:
    """A source that is there, as its form."""
    origin = "url" if it.url else "path" if it.path else "connection"
    what = "query" if it.query else "table" if it.table or origin != "connection" else ""
    return Form(
        origin=origin, connection=it.connection, what=what, table=it.table, query=it.query, url=it.url,
        path=it.path, format=it.format, column=it.column, every=str(it.every_s),
        most_gone=f"{round(100 * it.most_gone, 4):g}",
    )  # fmt: skip


def _every(text: str) -> int:
    if not text.isdecimal():
        raise Wrong("every", "Choose how often.")
    return int(text)


def _share(text: str) -> float:
    try:
        percent = float(text.replace("%", "").strip())
    except ValueError:
        percent = -1
    if not 0 <= percent <= 100:
        raise Wrong("most_gone", "Give a number from 0 to 100.")
    return percent / 100
