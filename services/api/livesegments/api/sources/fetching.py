"""A file by its address, or in the folder of such files: whole on our disk, or not at all."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from livesegments.api.sources.connections import Broken
from livesegments.runtime.addresses import fault_of
from livesegments.runtime.resolving import PublicResolver, Refused

MAX_BYTES = 1 << 30
CONNECT_S, READ_S, WHOLE_S = 10.0, 30.0, 600.0
CHUNK = 1 << 18


async def fetched(url: str, password: str | None, permitted: Collection[str], into: Path) -> None:
    """Redirects are not followed, and no proxy is asked. Raises Broken, or OSError of our own disk."""
    parts = urlsplit(url)
    headers = {}
    if password is not None or parts.username:
        word = password or parts.password or ""
        headers["Authorization"] = aiohttp.encode_basic_auth(parts.username or "", word)
    plain = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    if (wrong := fault_of(plain, permitted)) is not None:
        raise Broken(f"the url {wrong}")
    timeout = aiohttp.ClientTimeout(total=WHOLE_S, connect=CONNECT_S, sock_read=READ_S)
    connector = aiohttp.TCPConnector(resolver=PublicResolver(permitted))
    try:
        async with (
            aiohttp.ClientSession(
                connector=connector, timeout=timeout, trust_env=False, cookie_jar=aiohttp.DummyCookieJar()
            ) as session,
            session.get(plain, headers=headers, allow_redirects=False) as answer,
        ):
            if answer.status != 200:
                told = "; a redirect is not followed" if 300 <= answer.status < 400 else ""
                raise Broken(f"the address answers {answer.status}{told}")
            size = 0
            with into.open("wb") as file:
                async for chunk in answer.content.iter_chunked(CHUNK):
                    size += len(chunk)
                    if size > MAX_BYTES:
                        raise Broken(f"the file has more than {MAX_BYTES:,} bytes")
                    file.write(chunk)
    except TimeoutError as error:
        raise Broken("the file did not come in time") from error
    except (aiohttp.ClientError, ConnectionError) as error:
        refused = error.__cause__ if isinstance(error.__cause__, Refused) else None
        raise Broken(f"the file did not come whole: {refused or type(error).__name__}") from error


def within(folder: str, path: str) -> Path:
    """The file in the folder that may be read; no link leads out of it. Raises Broken."""
    if not folder:
        raise Broken("this deployment lets no files be read")
    root = Path(folder).resolve()
    try:
        found = (root / path).resolve(strict=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise Broken(f"there is no file '{path[:200]}' in the folder of such files") from error
    if not found.is_relative_to(root) or not found.is_file():
        raise Broken(f"there is no file '{path[:200]}' in the folder of such files")
    return found
