"""What we sign, the specification's own library verifies; connections go where they may alone."""

from __future__ import annotations

import time

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from livesegments.notify.signing import signed
from livesegments.runtime.resolving import PublicResolver, Refused

OLD, NEW, OTHER = "whsec_b2xkb2xkb2xk", "whsec_bmV3bmV3bmV3", "whsec_b3RoZXJvdGhlcg=="


def test_while_secrets_rotate_both_verify() -> None:
    body = '{"profile":"ända"}'.encode()
    headers = signed("msg_1", int(time.time() * 1_000), body, [OLD, NEW])
    for secret in (OLD, NEW):
        assert Webhook(secret).verify(body, headers) == {"profile": "ända"}
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(body + b" ", headers)


async def test_a_name_that_leads_to_a_loopback_address_is_refused_unless_it_is_permitted() -> None:
    with pytest.raises(Refused, match="no public address"):
        await PublicResolver(()).resolve("localhost", 80)
    assert await PublicResolver({"localhost"}).resolve("localhost", 80)
