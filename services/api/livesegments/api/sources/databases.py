"""Ids out of somebody else's database: one query, which only reads, within bounds of time."""

from __future__ import annotations

import sqlite3
import ssl
from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pg8000.dbapi
import pymysql
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from livesegments.api.sources.connections import Broken, Connection
from livesegments.runtime.resolving import connected

CONNECT_S = 10.0
QUERY_S = 300
"""A statement may take so long; a part of an answer, too."""
BATCH = 5_000
PORTS = {"postgresql": 5432, "mysql": 3306}
_READS = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_RECURSIVE,
        sqlite3.SQLITE_TRANSACTION,
    }
)
DRIVERS = {"postgresql": "postgresql+pg8000", "mysql": "mysql+pymysql", "sqlite": "sqlite+pysqlite"}


def rows(
    connection: Connection,
    password: str | None,
    permitted: Collection[str],
    table: str,
    query: str,
    column: str,
) -> Generator[Any]:
    """The value of every row, as the driver gives it; it blocks. Raises Broken, without the password."""
    try:
        url = make_url(connection.url)
    except SQLAlchemyError as error:
        raise Broken("the url of the connection can't be read") from error
    try:
        yield from _rows(connection, url, password or url.password, permitted, table, query, column)
    except (SQLAlchemyError, pg8000.Error, pymysql.Error, sqlite3.Error, OSError) as error:
        raise Broken(_said(error, [url.password, password])) from None


def _rows(
    connection: Connection,
    url: URL,
    password: str | None,
    permitted: Collection[str],
    table: str,
    query: str,
    column: str,
) -> Iterator[Any]:
    scheme = url.get_backend_name()

    def connect() -> Any:
        if scheme == "sqlite":
            return _sqlite(url)
        host, port = url.host or "", url.port or PORTS[scheme]
        sock = connected(host, port, permitted, CONNECT_S)
        sock.settimeout(QUERY_S)
        context = _trust(connection)
        try:
            if scheme == "postgresql":
                return pg8000.dbapi.connect(
                    url.username, host=host, database=url.database, password=password,
                    ssl_context=context or False, sock=sock,
                )  # fmt: skip
            made = pymysql.Connection(
                user=url.username, host=host, port=port, database=url.database, password=password or "",
                ssl=context, ssl_disabled=context is None, read_timeout=QUERY_S, defer_connect=True,
            )  # fmt: skip
            made.connect(sock)
            return made
        except BaseException:
            with suppress(OSError):
                sock.close()
            raise

    engine = sa.create_engine(DRIVERS[scheme] + "://", creator=connect, poolclass=sa.NullPool)
    chosen = _query(table, query, column)
    with engine.connect() as database, _reading(database, scheme):
        found = database.execution_options(stream_results=True, max_row_buffer=BATCH).execute(chosen)
        names = list(found.keys())
        if column and column not in names:
            raise Broken(f"the query gives no column '{column[:100]}'")
        at = names.index(column) if column else 0
        for part in found.partitions(BATCH):
            yield from (row[at] for row in part)


def _trust(connection: Connection) -> ssl.SSLContext | None:
    """None: without TLS. Raises Broken."""
    if not connection.tls:
        return None
    try:
        return ssl.create_default_context(cafile=connection.tls_ca or None)
    except OSError as error:
        raise Broken("the file `tls_ca` of the connection can't be read as certificates (PEM)") from error


def _query(table: str, query: str, column: str) -> Any:
    if query:
        # a colon is one: there are no parameters
        return sa.text(query.replace(":", "\\:"))
    schema, _, name = table.rpartition(".")
    of = sa.table(name, schema=schema or None)
    return sa.select(sa.column(column)).select_from(of)


@contextmanager
def _reading(database: sa.Connection, scheme: str) -> Iterator[None]:
    """Nothing that the query does can write."""
    if scheme == "postgresql":
        database.exec_driver_sql("SET TRANSACTION READ ONLY")
        database.exec_driver_sql(f"SET LOCAL statement_timeout = {QUERY_S * 1_000}")
    elif scheme == "mysql":
        # MariaDB has another name for it, and counts seconds
        if getattr(database.dialect, "is_mariadb", False):
            database.exec_driver_sql(f"SET SESSION max_statement_time = {QUERY_S}")
        else:
            database.exec_driver_sql(f"SET SESSION max_execution_time = {QUERY_S * 1_000}")
        database.exec_driver_sql("START TRANSACTION READ ONLY")
    else:
        driver = database.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.set_authorizer(
            lambda action, *_: sqlite3.SQLITE_OK if action in _READS else sqlite3.SQLITE_DENY
        )
    try:
        yield
    finally:
        with suppress(SQLAlchemyError):
            database.rollback()


def _sqlite(url: URL) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{url.database}?mode=ro", uri=True, timeout=CONNECT_S)


def _said(error: BaseException, secrets: Collection[str | None]) -> str:
    """What the driver says, short, and without a secret."""
    cause = getattr(error, "orig", None) or error
    first = cause.args[0] if cause.args else None
    told = str(first["M"]) if isinstance(first, dict) and "M" in first else str(cause)
    for secret in secrets:
        if secret:
            told = told.replace(secret, "***")
    told = (" ".join(told.split()) or type(cause).__name__)[:300]
    if "CERTIFICATE_VERIFY_FAILED" in told:
        own = "`tls_ca` of the connection names an authority of your own"
        return f"the database can't be trusted: {told}; {own}"
    return f"the database answers: {told}"
