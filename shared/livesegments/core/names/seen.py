"""The names, properties, types and frequent values seen in a workspace's events. Pure, bounded.

    {"order_placed": Name(last_ms=…, count=12, paths={"total": Path(last_ms=…, types={"number": 12})})}

A change of a profile is the name `$profile`, and the attributes are its paths. A path is dotted and goes
through lists, as a filter's `property` does: `products.price`. Only a sample of the events is counted: the
counts say which values are frequent, not how often they occurred.

Values are counted by the Space-Saving algorithm (Metwally and others, 2005). A value that is not among
the `MAX_VALUES` kept takes the place of the rarest, inherits its count, and remembers it as its error. So the
value was seen at least `count - error` and at most `count` times.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct, field

from livesegments.core.names.flatten import leaves

MAX_NAMES = 500
"""Of a workspace without a quota of its own; our own names, which begin with `$`, come on top."""
GAVE_WAY = "$gave_way"
"""This name is there once a name had to give way: then one that is not there may have been seen."""
MAX_PATHS = 200
"""Of one name; attributes are paths, too."""
MAX_VALUES = 20
MAX_BYTES = 96 * 1024
"""Of one name in msgpack: values of rare paths are dropped until it fits."""


class Value(Struct, array_like=True):
    """Seen at most `count` and at least `count - error` times."""

    count: int
    error: int = 0


class Path(Struct, array_like=True):
    """`types`: kinds of values (`core.value.kind`) → times; `values`: JSON of a scalar → its counts.

    `last_ms`: the greatest time of an event that had it.
    """

    last_ms: int
    count: int = 0
    types: dict[str, int] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)


class Name(Struct, array_like=True):
    """`full`: paths were dropped, so a path that is not here may have been seen all the same."""

    last_ms: int
    count: int = 0
    full: bool = False
    paths: dict[str, Path] = field(default_factory=dict)


Names = dict[str, Name]
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Name] = msgspec.msgpack.Decoder(Name)


def observe(
    names: Names, name: str, time_ms: int, properties: Mapping[str, Any], dotted: bool = True
) -> None:
    """Adds one event to `names`. Without `dotted` the properties are attributes: their names are whole."""
    known = names.get(name)
    if known is None:
        known = names[name] = Name(time_ms)
    known.count += 1
    known.last_ms = max(known.last_ms, time_ms)
    once: set[str] = set()
    for path, kind, value in leaves(properties, dotted):
        seen = known.paths.get(path)
        if seen is None:
            if len(known.paths) >= MAX_PATHS:
                known.full = True
                continue
            seen = known.paths[path] = Path(time_ms)
        if path not in once:
            once.add(path)
            seen.count += 1
            seen.last_ms = max(seen.last_ms, time_ms)
        seen.types[kind] = seen.types.get(kind, 0) + 1
        if value is not None:
            _count(seen.values, value)


def _count(values: dict[str, Value], value: str) -> None:
    known = values.get(value)
    if known is not None:
        known.count += 1
    elif len(values) < MAX_VALUES:
        values[value] = Value(1)
    else:
        rarest = min(values, key=lambda each: values[each].count)
        least = values.pop(rarest).count
        values[value] = Value(least + 1, least)


def merge(first: Name, second: Name) -> Name:
    """Both together, within the bounds: of too many paths the most frequent are kept."""
    paths = {
        path: _merged(first.paths.get(path), second.paths.get(path))
        for path in {**first.paths, **second.paths}
    }
    full = first.full or second.full or len(paths) > MAX_PATHS
    if len(paths) > MAX_PATHS:
        kept = sorted(paths, key=lambda path: (-paths[path].count, -paths[path].last_ms, path))[:MAX_PATHS]
        paths = {path: paths[path] for path in kept}
    last_ms = max(first.last_ms, second.last_ms)
    return trimmed(Name(last_ms, first.count + second.count, full, paths))


def _merged(first: Path | None, second: Path | None) -> Path:
    if first is None or second is None:
        one = first or second
        assert one is not None
        return one
    types = {
        kind: first.types.get(kind, 0) + second.types.get(kind, 0) for kind in {**first.types, **second.types}
    }
    values = _merged_values(first.values, second.values)
    return Path(max(first.last_ms, second.last_ms), first.count + second.count, types, values)


def _merged_values(first: dict[str, Value], second: dict[str, Value]) -> dict[str, Value]:
    """What one side does not keep, it may have seen as often as the rarest that it keeps, if it is full."""
    unkept_1, unkept_2 = _unkept(first), _unkept(second)
    values = {}
    for value in {**first, **second}:
        one, two = first.get(value, unkept_1), second.get(value, unkept_2)
        values[value] = Value(one.count + two.count, one.error + two.error)
    kept = sorted(values, key=lambda value: (-values[value].count, value))[:MAX_VALUES]
    return {value: values[value] for value in kept}


def _unkept(values: dict[str, Value]) -> Value:
    if len(values) < MAX_VALUES:
        return Value(0)
    least = min(value.count for value in values.values())
    return Value(least, least)


def trimmed(name: Name) -> Name:
    """Within `MAX_BYTES`: the rarest half of the paths that have values lose them, until it fits."""
    while len(encode(name)) > MAX_BYTES:
        with_values = sorted((path for path in name.paths if name.paths[path].values), key=_rarity(name))
        if not with_values:
            break
        bare = set(with_values[: (len(with_values) + 1) // 2])
        paths = {
            path: msgspec.structs.replace(each, values={}) if path in bare else each
            for path, each in name.paths.items()
        }
        name = msgspec.structs.replace(name, paths=paths)
    return name


def _rarity(name: Name) -> Any:
    return lambda path: (name.paths[path].count, path)


def surplus(names: Mapping[str, Name], most: int = MAX_NAMES) -> list[str]:
    """The names that are too many for a workspace: those seen the longest ago, but never a `$…` name."""
    own = sorted((name for name in names if not name.startswith("$")), key=lambda name: names[name].last_ms)
    return own[: max(0, len(own) - most)]


def frequent(path: Path, least: int = 2) -> list[Any]:
    """The values that were certainly seen `least` times or more, the most frequent first."""
    sure = {text: value.count - value.error for text, value in path.values.items()}
    kept = sorted((text for text in sure if sure[text] >= least), key=lambda text: (-sure[text], text))
    return [msgspec.json.decode(text) for text in kept]


def encode(name: Name) -> bytes:
    return _encoder.encode(name)


def decode(data: bytes) -> Name:
    """Raises msgspec.DecodeError."""
    return _decoder.decode(data)
