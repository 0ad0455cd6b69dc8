"""Runs the example of docs/exports.md with the commands of the page, on the whole product."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.e2e.conftest import Product

PAGE = Path(__file__).parents[2] / "docs" / "exports.md"
TOTAL = {"name": "wine_sold", "measure": {"of": "sum", "property": "total"}}
WINE = {"id": "wine-buyers", "name": "Wine buyers", "definition": {"type": "event", "name": "wine_sold"}}
TIME = "2024-02-10T00:00:00Z"
TRAITS = [
    {"type": "identify", "messageId": f"x{at}", "userId": who, "traits": {"city": city}, "timestamp": TIME}
    for at, (who, city) in enumerate((("nia", "Kyiv"), ("oto", "=1+1")))
]
ORDERS = [
    {"id": f"y{at}", "profile": who, "name": "wine_sold", "time": TIME, "properties": {"total": total}}
    for at, (who, total) in enumerate((("nia", 0.3), ("nia", 300), ("oto", 400)))
]


async def test_the_pages_example(product: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shown,) = re.findall(
        r"^```\n\$ (livesegments export.*?)\n(.*?)\n\$ cat (\S+)\n(.*?)```", PAGE.read_text(), re.S | re.M
    )
    command, said, name, table = shown
    (tmp_path / "total.json").write_text(json.dumps(TOTAL))
    (tmp_path / "wine.json").write_text(json.dumps(WINE))
    made = await product.run("computed", "put", "wine_total", "-f", str(tmp_path / "total.json"))
    assert made.status == 0, made.err
    await product.json("segments", "create", "-f", str(tmp_path / "wine.json"))
    await product.json("settle")
    await product.json("send", "-", stdin="".join(f"{json.dumps(each)}\n" for each in (*TRAITS, *ORDERS)))
    await product.json("settle")

    monkeypatch.chdir(tmp_path)
    ran = await product.run(*shlex.split(command)[1:])
    assert ran.status == 0, ran.err
    assert said in (ran.out + ran.err).splitlines()
    head, *rows = (tmp_path / name).read_text().splitlines()
    expected_head, *expected = table.splitlines()
    times = re.compile(r"[^,]*$")  # the clock of the log, which other tests move
    assert head == expected_head
    assert sorted(times.sub("", row) for row in rows) == [times.sub("", row) for row in expected]
    assert sorted(each.name for each in _files(tmp_path)) == ["total.json", "wine.csv", "wine.json"]

    ran = await product.run("export", "wine-buyers", "-o", "-", "--format", "ndjson", "--fields", "city")
    cities = {each["profile"]: each["fields"]["city"] for each in ran.documents}
    assert cities == {"nia": "Kyiv", "oto": "=1+1"}
    (export,) = await product.json("export", "wine-buyers", "-o", "all.parquet")
    assert (export["state"], export["format"], export["rows"]) == ("done", "parquet", 2)
    again = await product.run("export", "wine-buyers", "-o", "again.parquet", "--resume", export["id"])
    assert again.status == 0, again.err
    whole, same = (each.read_bytes() for each in _files(tmp_path) if each.suffix == ".parquet")
    assert whole == same


def _files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())
