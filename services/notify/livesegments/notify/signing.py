"""The headers of a webhook, as the Standard Webhooks specification has them.

webhook-id: 7f9c…            the same at every attempt
webhook-timestamp: 1764000000    when this attempt is made
webhook-signature: v1,K5o… v1,9xT…    one for each secret that is valid, a space between them
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

from standardwebhooks.webhooks import Webhook

REMEMBERED = 4_096


def signed(id_: str, at_ms: int, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """`secrets` are `whsec_…`, those in force at `at_ms`. `body` is UTF-8."""
    instant = datetime.fromtimestamp(at_ms // 1_000, UTC)
    text = body.decode()
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(at_ms // 1_000),
        "webhook-signature": " ".join(_signer(secret).sign(id_, instant, text) for secret in secrets),
    }


@lru_cache(REMEMBERED)
def _signer(secret: str) -> Webhook:
    return Webhook(secret)
