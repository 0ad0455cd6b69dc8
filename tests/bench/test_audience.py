"""The bench of audiences runs, small: everybody comes once, with the right address."""

from bench import audience
from livesegments.runtime.embedded.stack import Stack
from tests.services.api.conftest import emptied


async def test_the_sender_reads_everybody_once(stack: Stack) -> None:
    await emptied(stack)
    sent = await audience.run(stack, 120)
    assert (sent.read, sent.twice, sent.wrong) == (sent.wanted, 0, 0)
    assert 0 < sent.wanted < 120
    assert "bytes a profile" in "\n".join(audience.table(sent))
