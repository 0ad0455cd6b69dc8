"""Lists that are kept equal to a real PostgreSQL, SQLite, and files over HTTP and of a folder, with a real evaluator."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from livesegments.core.event import MERGE, PROFILE, Event
from livesegments.runtime.embedded.stack import Stack
from tests import mariadb, postgres
from tests.services.api.conftest import ADMIN_KEY, Client, emptied, running, settings, until
from tests.services.api.living import START_MS, Shop
from tests.services.evaluator.rig import Rig, rig

SECRET = "pass-of-the-files"


class World(msgspec.Struct):
    url: str
    rig: Rig
    folder: Path
    port: int
    """Of the server of files."""
    answers: dict[str, web.Response | bytes]


@pytest.fixture(scope="module")
def database() -> Iterator[postgres.Postgres]:
    with postgres.running() as found:
        found.run(
            "CREATE TABLE vips (customer_id text, spent int)",
            f"CREATE ROLE reader LOGIN PASSWORD '{postgres.PASSWORD}'",
            "GRANT SELECT ON vips TO reader",
            "GRANT INSERT ON vips TO reader",
        )
        yield found


@pytest.fixture(scope="module")
async def world(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    await emptied(stack)
    folder = tmp_path_factory.mktemp("sources")
    (folder / "files").mkdir()
    answers: dict[str, web.Response | bytes] = {}

    async def give(request: web.Request) -> web.StreamResponse:
        found = answers.get(request.path, web.Response(status=404))
        if request.path == "/locked.csv":
            wanted = "Basic dTpwYXNzLW9mLXRoZS1maWxlcw=="
            if request.headers.get("Authorization") != wanted:
                return web.Response(status=401)
        if isinstance(found, bytes):
            return web.Response(body=found)
        return web.Response(status=found.status, headers=found.headers)

    application = web.Application()
    application.router.add_get("/{path:.*}", give)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    chosen = msgspec.structs.replace(
        settings(stack),
        sources=str(folder / "sources.toml"),
        source_files=str(folder / "files"),
        source_hosts="127.0.0.1,127.0.0.2",
        source_rows=1_000,
    )
    async with running(chosen) as url, rig(stack, folder) as evaluation:
        evaluator = evaluation.start()
        await evaluation.until(evaluator.ready)
        yield World(url, evaluation, folder, port, answers)
    await runner.cleanup()


@pytest.fixture
async def shop(world: World) -> AsyncIterator[Shop]:
    async with Client(world.url, ADMIN_KEY) as boss:
        workspace = (await boss.make("/v1/workspaces", name="shop"))["id"]
        key = await boss.make(f"/v1/workspaces/{workspace}/keys", name="k", scopes=["read", "write"])
    async with Shop(world.url, key["key"], workspace) as client:
        client.rig = world.rig
        await client.segment("vips", type="static")
        yield client


def connections(world: World, **found: str) -> None:
    (world.folder / "password").write_text(f"{postgres.PASSWORD}\n")
    (world.folder / "files-password").write_text(SECRET)
    (world.folder / "sources.toml").write_text(
        "\n".join(f'[{name}]\nworkspaces = ["*"]\n{lines}' for name, lines in found.items())
    )


async def source(shop: Shop, **fields: Any) -> None:
    answer = await shop.put("/v1/segments/vips/source", json=fields)
    assert answer.status_code == 200, answer.text


async def ran(shop: Shop, **asked: Any) -> Any:
    """The last run, once it has ended; no answer ever has a secret."""
    await shop.settled()
    answer = await shop.post("/v1/segments/vips/source/runs", json=asked)
    assert answer.status_code == 202, answer.text
    now = answer.json()

    async def ended() -> bool:
        nonlocal now
        now = (await shop.get("/v1/segments/vips/source")).json()
        return now["now"] is None

    await until(ended)
    await shop.settled()
    assert postgres.PASSWORD not in str(now) and SECRET not in str(now)
    return now["last"]


async def members(shop: Shop) -> list[str]:
    return sorted(await shop.members("vips"))


async def test_a_table_and_a_query_of_postgresql(
    shop: Shop, world: World, database: postgres.Postgres
) -> None:
    url = f"postgresql://reader@127.0.0.1:{database.port}/postgres"
    connections(world, crm=f'url = "{url}"\npassword_file = "{world.folder}/password"\ntls = false')
    assert (await shop.get("/v1/connections")).json() == {
        "connections": [{"name": "crm", "kind": "postgresql"}]
    }
    database.run("DELETE FROM vips", "INSERT INTO vips VALUES ('ann', 5), ('bob', 50), ('bob', 7), (NULL, 1)")
    await source(shop, connection="crm", table="vips", column="customer_id")
    last = await ran(shop)
    assert (last["state"], last["rows"], last["odd"], last["added"], last["removed"]) == ("done", 4, 1, 2, 0)
    assert await members(shop) == ["ann", "bob"]

    database.run("DELETE FROM vips WHERE customer_id = 'ann'", "INSERT INTO vips VALUES ('cy', 9)")
    last = await ran(shop)
    assert (last["added"], last["removed"]) == (1, 1)
    assert await members(shop) == ["bob", "cy"]
    last = await ran(shop)
    assert (last["state"], last["added"], last["removed"]) == ("done", 0, 0)

    query = "SELECT spent, customer_id AS who FROM vips WHERE customer_id LIKE '%y' AND spent::int > 5"
    await source(shop, connection="crm", query=query, column="who")
    assert (await ran(shop))["state"] == "done"
    assert await members(shop) == ["cy"]

    for wrong in (
        "INSERT INTO vips VALUES ('eve', 1) RETURNING customer_id",
        "SELECT set_config('transaction_read_only', 'off', true)",
        "SELECT pg_sleep(0) FROM nowhere",
    ):
        await source(shop, connection="crm", query=wrong)
        last = await ran(shop)
        assert last["state"] == "failed" and last["error"].startswith("the database answers: "), wrong
    (world.folder / "password").write_text("another")
    assert "authentication failed" in (await ran(shop))["error"]
    connections(world, crm=f'url = "{url}"\npassword_env = "NOT_THERE"\ntls = false')
    assert "not in the environment" in (await ran(shop))["error"]
    assert await members(shop) == ["cy"], "what fails changes nothing"


async def test_a_database_is_trusted_by_its_certificate_and_its_name(
    shop: Shop, world: World, database: postgres.Postgres
) -> None:
    database.run("DELETE FROM vips", "INSERT INTO vips VALUES ('ann', 5)")
    own = f'password_file = "{world.folder}/password"\n'
    ca = f'tls_ca = "{database.authority}"'

    async def read(host: str, *lines: str) -> Any:
        url = f'url = "postgresql://reader@{host}:{database.port}/postgres"\n'
        connections(world, crm=url + own + "\n".join(lines))
        await source(shop, connection="crm", table="vips", column="customer_id")
        return await ran(shop)

    strange = await read("127.0.0.1")
    assert strange["state"] == "failed" and "tls_ca" in strange["error"], "nobody signed it but itself"
    assert (await read("127.0.0.1", ca))["state"] == "done" and await members(shop) == ["ann"]
    assert "is not valid for '127.0.0.2'" in (await read("127.0.0.2", ca))["error"]
    assert (
        "can't be read as certificates" in (await read("127.0.0.1", f'tls_ca = "{world.folder}/x"'))["error"]
    )
    assert (await read("127.0.0.2", "tls = false"))["state"] == "done"


async def test_a_table_and_a_query_of_mariadb(shop: Shop, world: World) -> None:
    with mariadb.running() as database:
        database.run(
            "CREATE DATABASE crm",
            "CREATE TABLE crm.vips (customer_id VARCHAR(50), spent INT)",
            "INSERT INTO crm.vips VALUES ('ann', 5), ('bob', 50), ('bob', 7), (NULL, 1)",
            f"CREATE USER reader IDENTIFIED BY '{mariadb.PASSWORD}'",
            "GRANT SELECT, INSERT ON crm.* TO reader",
        )
        own = f'url = "mysql://reader@127.0.0.1:{database.port}/crm"\npassword_file = "{world.folder}/password"\n'
        connections(world, crm=own)
        await source(shop, connection="crm", table="vips", column="customer_id")
        assert "tls_ca" in (await ran(shop))["error"]
        for way in (f'tls_ca = "{database.authority}"', "tls = false"):
            connections(world, crm=own + way)
            last = await ran(shop)
            assert (last["state"], last["rows"], last["odd"]) == ("done", 4, 1), last
            assert await members(shop) == ["ann", "bob"]
        query = "SELECT spent, customer_id AS who FROM vips WHERE customer_id LIKE '%b'"
        await source(shop, connection="crm", query=query, column="who")
        assert (await ran(shop))["state"] == "done" and await members(shop) == ["bob"]
        for wrong in ("INSERT INTO vips VALUES ('eve', 1)", "SELECT 1 FROM nowhere"):
            await source(shop, connection="crm", query=wrong)
            last = await ran(shop)
            assert last["state"] == "failed" and last["error"].startswith("the database answers: "), wrong
    assert "the database answers" in (await ran(shop))["error"]
    assert await members(shop) == ["bob"], "a server that is gone empties nothing"


GREETING = (
    b"\x0a5.7.44\0\1\0\0\0saltsalt\0\xff\xf7\x21\2\0\xff\x81\x15"
    + bytes(10)
    + b"saltsaltsalt\0mysql_native_password\0"
)
"""Of a MySQL that knows no TLS (bit 11 of its capabilities)."""


@pytest.mark.parametrize(
    ("scheme", "says"),
    [("postgresql", b"N"), ("mysql", len(GREETING).to_bytes(3, "little") + b"\0" + GREETING)],
)
async def test_a_server_without_tls_never_gets_the_password(
    scheme: str, says: bytes, shop: Shop, world: World
) -> None:
    heard = bytearray()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(says)
        heard.extend(await reader.read(10_000))
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        own = f'url = "{scheme}://reader@127.0.0.1:{port}/crm"\npassword_file = "{world.folder}/password"'
        connections(world, crm=own)
        await source(shop, connection="crm", table="vips", column="customer_id")
        last = await ran(shop)
    assert last["state"] == "failed" and "SSL" in last["error"], last
    assert b"reader" not in heard


async def test_what_vanishes_or_shrinks_is_held_until_it_is_confirmed(shop: Shop, world: World) -> None:
    file = world.folder / "shop.db"
    file.unlink(missing_ok=True)
    connections(world, db=f'url = "sqlite:///{file}"')
    await source(shop, connection="db", table="people", column="id", most_gone=0.4)
    assert (await ran(shop))["state"] == "failed", "there is no such file"
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE people (id INTEGER PRIMARY KEY)")
        db.executemany("INSERT INTO people VALUES (?)", [(number,) for number in range(100)])
    assert (await ran(shop))["added"] == 100
    with sqlite3.connect(file) as db:
        db.execute("DELETE FROM people WHERE id >= 59")
    last = await ran(shop)
    assert (last["state"], last["gone"]) == ("held", 41)
    assert "41 of 100 members would go" in last["error"] and len(await members(shop)) == 100
    assert (await ran(shop, may_remove=40))["state"] == "held"
    last = await ran(shop, may_remove=41)
    assert (last["state"], last["removed"]) == ("done", 41) and len(await members(shop)) == 59
    with sqlite3.connect(file) as db:
        db.execute("DELETE FROM people")
    assert (await ran(shop))["gone"] == 59
    with sqlite3.connect(file) as db:
        db.execute("DROP TABLE people")
    assert (await ran(shop))["state"] == "failed"
    for query in ("SELECT 1 UNION SELECT load_extension('x')", "ATTACH 'x' AS y", "DELETE FROM x"):
        await source(shop, connection="db", query=query)
        assert (await ran(shop))["state"] == "failed", query
    assert len(await members(shop)) == 59
    assert (await shop.delete("/v1/segments/vips/source")).status_code == 204
    assert (await shop.get("/v1/segments/vips/source")).status_code == 404
    assert len(await members(shop)) == 59


async def test_a_file_over_http_and_one_of_the_folder(shop: Shop, world: World) -> None:
    url = f"http://127.0.0.1:{world.port}"
    connections(
        world,
        files=f'url = "http://u@127.0.0.1:{world.port}/locked.csv"\npassword_file = "{world.folder}/files-password"',
    )
    world.answers["/list.csv"] = '\ufeffname,"customer id"\nAnn,ann\n"B, ob","bob"\nC,"x\ny"\n'.encode()
    await source(shop, url=f"{url}/list.csv", column="customer id")
    last = await ran(shop)
    assert (last["state"], last["added"], last["odd"]) == ("done", 2, 1), "no id has a line break"
    world.answers["/locked.csv"] = b"id\nann\n"
    await source(shop, connection="files")
    assert (await ran(shop))["removed"] == 1 and await members(shop) == ["ann"]
    world.answers["/list"] = b'{"profile": "dan"}\n"eve"\n\n{"profile": 7}\n{"other": 1}\n'
    await source(shop, url=f"{url}/list", format="ndjson")
    assert (await ran(shop))["odd"] == 1 and await members(shop) == ["7", "dan", "eve"]

    (world.folder / "files" / "some.csv").write_text("id\nfay\n7\n")
    (world.folder / "outside.csv").write_text("id\nsecret\n")
    (world.folder / "files" / "link.csv").symlink_to(world.folder / "outside.csv")
    await source(shop, path="some.csv")
    assert (await ran(shop))["state"] == "done" and await members(shop) == ["7", "fay"]

    world.answers |= {
        "/moved": web.Response(status=302, headers={"Location": f"{url}/list.csv"}),
        "/torn": b'id\n"gus', "/uneven": b"id,x\ngus,1\nhal\n", "/binary": b"id\n\xff\n",
        "/many": b"id\n" + b"".join(b"p%d\n" % number for number in range(1_001)),
    }  # fmt: skip
    odd = [{"url": f"{url}{path}"} for path in ("/none", "/moved", "/torn", "/uneven", "/binary", "/many")]
    odd += [{"path": path} for path in ("../outside.csv", "link.csv", "/etc/hostname", ".")]
    odd += [{"url": "http://localhost.example.invalid/x"}, {"url": f"{url}/list", "format": "ndjson"}]
    world.answers["/list"] = b"{"
    for fields in odd:
        await source(shop, **fields)
        last = await ran(shop)
        assert last["state"] in ("failed", "held") and last["error"], fields
    assert await members(shop) == ["7", "fay"]


async def test_what_can_never_be_read_is_refused(shop: Shop, world: World) -> None:
    connections(world, db='url = "sqlite:///x"', files='url = "https://example.com/x.csv"')
    with (world.folder / "sources.toml").open("a") as file:
        file.write('\n[others]\nurl = "sqlite:///y"\nworkspaces = ["somebody-else"]\n')
    for fields, code in (
        ({}, "one_of"),
        ({"url": "https://example.com/x", "path": "x"}, "one_of"),
        ({"url": "http://10.0.0.7/x"}, "bad_url"),
        ({"url": "http://[::ffff:127.0.0.1]/x"}, "bad_url"),
        ({"url": "http://localhost/x"}, "bad_url"),
        ({"url": "https://u:p@example.com/x"}, "bad_url"),
        ({"connection": "nobody", "table": "t", "column": "c"}, "unknown_connection"),
        ({"connection": "others", "table": "t", "column": "c"}, "unknown_connection"),
        ({"connection": "db"}, "no_table"),
        ({"connection": "db", "table": "t"}, "no_column"),
        ({"connection": "db", "query": "SELECT 1; DROP TABLE x"}, "bad_query"),
        ({"connection": "files", "query": "SELECT 1"}, "no_database"),
        ({"path": "x", "every_s": 5}, "too_often"),
    ):
        answer = await shop.put("/v1/segments/vips/source", json=fields)
        assert (answer.status_code, [each["code"] for each in answer.json()["errors"]]) == (422, [code]), (
            fields
        )
    await shop.segment("dynamic")
    assert (await shop.put("/v1/segments/dynamic/source", json={"path": "x"})).status_code == 409
    assert (await shop.post("/v1/segments/nobody/source/runs", json={"x": 1})).status_code == 404


async def test_it_is_read_by_itself_and_follows_merged_profiles(shop: Shop, world: World) -> None:
    def event(id_: str, who: str, name: str, **properties: Any) -> Event:
        return Event(f"{shop.workspace}-{id_}", shop.workspace, who, name, START_MS, properties)

    file = world.folder / "files" / "merged.csv"
    file.write_text("id\nanonymous:a\nbob\n")
    await shop.rig.send(
        [
            event("1", "anonymous:a", PROFILE, attributes={"x": 1}),
            event("2", "ann", PROFILE, attributes={"x": 1}),
        ]
    )
    await shop.rig.send([event("3", "anonymous:a", MERGE, into="ann")])
    await shop.settled()
    await source(shop, path="merged.csv", every_s=60)

    async def read() -> bool:
        now = (await shop.get("/v1/segments/vips/source")).json()
        return now["last"] is not None and now["now"] is None

    await until(read)
    await shop.settled()
    assert await members(shop) == ["ann", "bob"]
    last = await ran(shop)
    assert (last["added"], last["removed"]) == (0, 0)
    listed = (await shop.get("/v1/sources")).json()["sources"]
    assert [(each["segment"], each["path"]) for each in listed] == [("vips", "merged.csv")]
    noted = (await shop.get("/v1/audit", params={"action": "replace_members"})).json()["entries"]
    assert [(each["by"], each["note"], sorted(each["profiles"])) for each in noted] == [
        ("schedule", "2 added, 0 removed: as its source has it", ["ann", "bob"])
    ], "what changes nothing leaves none"
