"""Who is erased is named by no entry of the audit log any more."""

from __future__ import annotations

from collections.abc import Collection

from livesegments.api.web.publisher import Publisher
from livesegments.store.catalog import Catalog


async def forgotten(
    catalog: Catalog, publisher: Publisher, workspace: str, profiles: Collection[str]
) -> None:
    """The log names these no more, in Redis and in the topic, when it returns.

    Raises NotRestored, NotPublished or Away."""
    if number := await catalog.audit.forget(workspace, profiles):
        await publisher.published(number)
