"""An audience: whom a send reaches, said without making a segment. Pure.

Example: everybody in `buyers` or `readers` who is not in `staff`, has opted in to e-mails about `news` and
has not unsubscribed from e-mails as a whole; of them the first half by the salt `spring`.

Who is in which segment is the store's to say. The rest is decided here, by the profile's id and its consents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Raw, Struct, defstruct

from livesegments.core import bucket
from livesegments.core.definition import Bucket
from livesegments.core.profile import consent_key

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


class Value(Struct, array_like=True):
    """Of a stored register: its value alone."""

    value: Any


class Held(Struct):
    """What an audience and its pages need of a stored profile: the attributes that were asked for, as far as
    it has them, and its consents, where these were asked for."""

    values: Mapping[str, Any]
    consent: Mapping[str, Value]


Judge: TypeAlias = Callable[[str, Held | None], bool]
"""Of a profile's id and its state; the state is given where the audience asks for consent."""
Reading: TypeAlias = Callable[[bytes], Held]
_NOTHING: Mapping[str, Any] = {}


@lru_cache(maxsize=256)
def reading(names: tuple[str, ...], consent: bool) -> Reading:
    """Of an encoded `core.profile.Profile` just these attributes, and perhaps the consents.

    Types are made for what is asked for, so msgspec passes over the rest instead of making it: that takes a
    third of the time."""
    places = {f"of_{at}": name for at, name in enumerate(names)}
    chosen: Any = Raw
    values: Callable[[Any], Mapping[str, Any]] = _none
    if names:
        try:
            fields = [(place, Value | None, None) for place in places]
            chosen = defstruct("Attributes", fields, rename=places)
            values = partial(_by_place, tuple(places.items()))
        except ValueError:  # msgspec takes no name with a quotation mark or a control character
            chosen, values = dict[str, Value], partial(_by_name, names)
    kept: list[Any] = [("plan", int), ("attributes", chosen)]
    if consent:
        kept += [("tags", Raw), ("consent", dict[str, Value])]
    decode = msgspec.msgpack.Decoder(defstruct("Kept", kept, array_like=True)).decode

    def read(state: bytes) -> Held:
        found: Any = decode(state)
        return Held(values(found.attributes), found.consent if consent else _NOTHING)

    return read


def _none(_: Any) -> Mapping[str, Any]:
    return _NOTHING


def _by_place(places: Sequence[tuple[str, str]], attributes: Any) -> Mapping[str, Any]:
    return {
        name: found.value
        for place, name in places
        if (found := getattr(attributes, place)) is not None and found.value is not None
    }


def _by_name(names: Sequence[str], attributes: Mapping[str, Value]) -> Mapping[str, Any]:
    return {
        name: found.value
        for name in names
        if (found := attributes.get(name)) is not None and found.value is not None
    }


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
        consent = state.consent
        for name in lookups:
            if (register := consent.get(name)) is not None and register.value == "opted_out":
                return False
        if asked.state == "any":
            return True
        register = consent.get(own)
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
