"""Whether a point is near another one: the great-circle distance on a sphere (haversine)."""

from __future__ import annotations

from livesegments.core.definition import Near
from livesegments.history.sql import number
from livesegments.history.sql.text import every, let

EARTH_KM = 6_371.0088


def near(node: Near, point: str) -> str:
    """`point`: an expression for JSON with `lat` and `lon` in degrees; what isn't a point is not near."""
    lat, lon = (f"CAST(json_extract(p, '$.{name}') AS DOUBLE)" for name in ("lat", "lon"))
    numbers = [number.written(f"json_extract(p, '$.{name}')") + " IS NOT NULL" for name in ("lat", "lon")]
    origin = f"radians(CAST({node.lat!r} AS DOUBLE))", f"radians(CAST({node.lon!r} AS DOUBLE))"
    north, east = (
        f"sin((radians({of}) - {origin[i]}) / 2) * sin((radians({of}) - {origin[i]}) / 2)"
        for i, of in enumerate((lat, lon))
    )
    chord = f"{north} + cos({origin[0]}) * cos(radians({lat})) * {east}"
    distance = f"2 * {EARTH_KM} * asin(sqrt(least(1.0, {chord})))"
    return let("p", point, f"CASE WHEN {every(numbers)} THEN {distance} <= {node.km!r} ELSE FALSE END")
