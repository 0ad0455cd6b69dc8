"""What a profile knows of the profiles that it has gone into, or that have gone into it.

Example: somebody visits a shop as `anonymous:a-1` and then logs in as `ann`. `anonymous:a-1` goes into `ann`:
from then on its state says where it has gone, and `ann`'s state says how much of it has arrived.

What is handed over is numbered by its sender: the records of one sender are (1, 0), (2, 0), (2, 1), …, in the
order in which the log has them first. A crash of the sender makes it send some of them again. The receiver
remembers the last place of every sender, and takes only what lies behind it: so every record counts once,
however much later it comes again.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TypeAlias

from msgspec import Struct

GONE = -2
"""The `plan` of a profile that has gone into another: no plan has this revision."""
MAX_SENDERS = 1_000
"""The senders that a profile remembers, those that it heard of last."""
MAX_NAMES = 32_768
"""Characters of the senders' ids that a profile's state has; what goes beyond is stored beside it."""
_BETWEEN = "\0"
_DIGEST = 8
_NUMBER = 4
_ENTRY = _DIGEST + 2 * _NUMBER

Place: TypeAlias = tuple[int, int]
"""(number, chunk) of a record among those of its sender."""


class Kin(Struct, array_like=True):
    """
    into     the profile that this one has gone into; None: it is there itself
    merge    id of the `$merge` event by which it went
    sent     how many numbers it has given to what it handed over, ever
    since    the number of the commit by which it went: its history up to there is no longer its own
    senders  of each: the first 8 bytes of the BLAKE2b of its id, number, chunk (4 bytes each), the latest
    last
    names    the ids of those that handed something over, the latest last, with a NUL behind each. An erasure
    needs them: a person is all of its ids
    """

    into: str | None = None
    merge: str = ""
    sent: int = 0
    since: int = 0
    senders: bytes = b""
    names: str = ""


def relatives(kin: Kin | None) -> list[str]:
    """The ids of where it has gone, and of those that have gone into it, as far as its state has them."""
    if kin is None:
        return []
    names = kin.names.split(_BETWEEN)[:-1]
    return names if kin.into is None else [kin.into, *names]


def with_name(names: str, sender: str) -> tuple[str, list[str]]:
    """With the id of a sender; and the ids that have no room any more."""
    if f"{_BETWEEN}{sender}{_BETWEEN}" in _BETWEEN + names:
        return names, []
    names += sender + _BETWEEN
    spilt = []
    while len(names) > MAX_NAMES:
        oldest, _, names = names.partition(_BETWEEN)
        spilt.append(oldest)
    return names, spilt


def last_of(kin: Kin | None, sender: str) -> Place | None:
    """The place of the last record that came from a sender; None if none did."""
    if kin is None:
        return None
    at = _find(kin.senders, _digest(sender))
    if at == -1:
        return None
    number = kin.senders[at + _DIGEST : at + _DIGEST + _NUMBER]
    return int.from_bytes(number), int.from_bytes(kin.senders[at + _DIGEST + _NUMBER : at + _ENTRY])


def note(senders: bytes, sender: str, place: Place) -> bytes:
    """With the place of a sender's last record."""
    digest = _digest(sender)
    at = _find(senders, digest)
    if at != -1:
        senders = senders[:at] + senders[at + _ENTRY :]
    number, chunk = place
    entry = digest + number.to_bytes(_NUMBER) + chunk.to_bytes(_NUMBER)
    return (senders + entry)[-MAX_SENDERS * _ENTRY :]


def _find(senders: bytes, digest: bytes) -> int:
    at = senders.find(digest)
    while at != -1 and at % _ENTRY:
        at = senders.find(digest, at + 1)
    return at


def _digest(profile: str) -> bytes:
    return blake2b(profile.encode(), digest_size=_DIGEST).digest()
