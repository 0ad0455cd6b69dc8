"""An audience: whom a send reaches, said without making a segment. Pure.

Example: everybody in `buyers` or `readers` who is not in `staff`, has opted in to e-mails about `news` and
has not unsubscribed from e-mails as a whole; of them the first half by the salt `spring`.

Who is in which segment is the store's to say. The rest is decided here, by the profile's id and its consents.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Raw, Struct

from livesegments.core import bucket
from livesegments.core.definition import Bucket
from livesegments.core.profile import Register, consent_key

Size = Literal["test", "standard", "large", "split"]


class Consenting(Struct, frozen=True):
    """`state`: what must stand for exactly this pair; `not_opted_out` holds for `opted_in` and for `none`.

    `suppress`: who has opted out of the channel, of the topic or of the pair is left out, whatever `state`
    says.
    """

    channel: str | None = None
    topic: str | None = None
    state: Literal["opted_in", "not_opted_out", "any"] = "opted_in"
    suppress: bool = True


class Part(Struct, frozen=True):
    """One of `of` parts that together are the whole: `number` counts from 1."""

    number: int
    of: int
    salt: str = ""


class Audience(Struct, frozen=True):
    """`match`: in any of the segments of `include`, or in all of them; then in none of `exclude`."""

    include: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    match: Literal["any", "all"] = "any"
    consent: Consenting | None = None
    bucket: Bucket | None = None
    part: Part | None = None

    @property
    def plain(self) -> bool:
        """Whether its segments alone say who is in it."""
        return self.consent is None and self.bucket is None and self.part is None


class Held(Struct, array_like=True):
    """The beginning of a stored `core.profile.Profile`: what an audience and its pages need of it."""

    plan: int = -1
    attributes: dict[str, Raw] = {}
    tags: Raw = Raw(b"\x80")
    consent: dict[str, Register] = {}


Judge: TypeAlias = Callable[[str, Held | None], bool]
"""Of a profile's id and its state; the state is given where the audience asks for consent."""

_held = msgspec.msgpack.Decoder(Held)
_register = msgspec.msgpack.Decoder(Register)


def held(state: bytes) -> Held:
    """The first fields of an encoded profile, without the rest of it."""
    return _held.decode(state)


def value(state: Held, name: str) -> Any:
    """Of an attribute; None where it has none."""
    register = state.attributes.get(name)
    return None if register is None else _register.decode(register).value


def judge(audience: Audience) -> Judge:
    """Whether a profile that is in the right segments is in the audience."""
    tests: list[Judge] = []
    if audience.bucket is not None:
        share = audience.bucket
        tests.append(lambda id_, _: bucket.holds(share, id_))
    if audience.part is not None:
        part = audience.part
        tests.append(lambda id_, _: part_of(id_, part.of, part.salt) == part.number)
    if audience.consent is not None:
        tests.append(_consenting(audience.consent))
    if len(tests) == 1:
        return tests[0]
    return lambda id_, state: all(test(id_, state) for test in tests)


def part_of(profile_id: str, of: int, salt: str) -> int:
    """Which of `of` parts a profile is in, from 1: always the same one. Parts differ in size by chance."""
    return bucket.number(f"part\0{salt}", profile_id) * of // bucket.BUCKETS + 1


def _consenting(asked: Consenting) -> Judge:
    own = consent_key(asked.channel, asked.topic)
    wider = [own, consent_key(asked.channel, None), consent_key(None, asked.topic)] if asked.suppress else []
    never = consent_key(None, None)
    lookups = tuple(dict.fromkeys(each for each in wider if each != never))

    def holds(_: str, state: Held | None) -> bool:
        if state is None:
            return False
        said = {name: register.value for name in lookups if (register := state.consent.get(name)) is not None}
        if "opted_out" in said.values():
            return False
        if asked.state == "any":
            return True
        register = state.consent.get(own)
        stands = "none" if register is None else register.value
        return bool(stands == "opted_in" if asked.state == "opted_in" else stands != "opted_out")

    return holds


class Bounds(Struct, frozen=True):
    """The most profiles of a test, of a standard send and of one large send; more is better split."""

    test: int
    standard: int
    large: int


class Advice(Struct, frozen=True):
    """How a send of this size is best made: in `parts` parts."""

    size: Size
    parts: int


def advice(count: int, bounds: Bounds) -> Advice:
    for size, most in (("test", bounds.test), ("standard", bounds.standard), ("large", bounds.large)):
        if count <= most:
            return Advice(size, 1)  # type: ignore[arg-type]
    return Advice("split", -(-count // bounds.large))
