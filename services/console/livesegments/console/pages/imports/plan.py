"""Where columns go, as the api is asked; and where they go by themselves, by what they look like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from livesegments.client.imports import ImportColumn
from livesegments.client.profiles import Consent

TYPES = {each: each for each in ("text", "number", "boolean", "date", "list", "point")}
IDS = frozenset({"id", "user_id", "userid", "profile", "customer_id"})
IDENTIFYING = ("id", "email")
"""One column goes to one of these."""
EMAILS = frozenset({"email", "e-mail", "mail"})


class Goes(Struct, frozen=True):
    """`to`: skip, id, email, attribute, tags or consent, whose channel or channel/topic is `attribute`."""

    to: str
    attribute: str = ""
    type: str = "text"


def whereto(column: ImportColumn) -> Goes:
    """At the beginning; somebody may choose otherwise."""
    name = column.name.strip()
    if name.casefold() in IDS:
        return Goes("id", name)
    if name.casefold() in EMAILS:
        return Goes("email", name)
    if name.casefold() in ("tags", "labels"):
        return Goes("tags", name)
    return Goes("attribute" if name else "skip", name, column.declared or column.type)


def at_first(columns: Sequence[ImportColumn]) -> list[Goes]:
    """Where all columns go at the beginning. One of them is the id: the first that is called so, else the
    first e-mail; others that could be are attributes."""
    by_name = [whereto(each) for each in columns]
    ids = [at for to in IDENTIFYING for at, goes in enumerate(by_name) if goes.to == to]
    return [
        msgspec.structs.replace(goes, to="attribute") if goes.to in IDENTIFYING and at != ids[0] else goes
        for at, goes in enumerate(by_name)
    ]


def moved(chosen: Sequence[str], number: int, to: str) -> list[str]:
    """Where columns go after one of them went elsewhere: another one that was the id is an attribute then."""
    others = ["attribute" if to in IDENTIFYING and each in IDENTIFYING else each for each in chosen]
    return [to if at == number else each for at, each in enumerate(others)]


def consent(it: Consent) -> str:
    """`email/news: opted_in`."""
    return f"{'/'.join(filter(None, (it.channel, it.topic)))}: {it.state}"


def plan(columns: Sequence[tuple[str, Goes]], remove_empty: bool) -> dict[str, Any]:
    """The arguments of `imports.check`. Raises ValueError, a sentence, where there is not one id."""
    ids = [(column, goes) for column, goes in columns if goes.to in ("id", "email")]
    if len(ids) != 1:
        raise ValueError("One column has to be the id, or the e-mail that is the id: choose one.")
    ((id_column, chosen),) = ids
    taken: list[dict[str, Any]] = []
    for column, goes in columns:
        if goes.to == "tags":
            taken.append({"column": column, "to": "tags"})
        elif goes.to == "consent":
            channel, _, topic = goes.attribute.partition("/")
            pair = {"channel": channel.strip(), "topic": topic.strip()}
            taken.append({"column": column, "to": "consent", **{part: it for part, it in pair.items() if it}})
        elif goes.to == "attribute":
            taken.append({"column": column, "attribute": goes.attribute or column, "type": goes.type})
    return {
        "id_column": id_column,
        "by_email": chosen.to == "email",
        "columns": taken,
        "empty": "remove" if remove_empty else "skip",
    }
