"""The service on the real stack."""

from livesegments.core.event import Event
from tests.services.evaluator.rig import Rig

T = 1_700_000_000_000
HOUR = 3_600_000

ACTIVE = '{"type":"event","name":"bought","window":{"last":"1h"},"value":2}'
RICH = '{"type":"attribute","name":"plan","op":"eq","value":"pro"}'


def bought(id_: str, profile: str, time_ms: int, workspace: str = "w") -> Event:
    return Event(id_, workspace, profile, "bought", time_ms, {})


async def test_an_event_makes_a_member_and_the_clock_unmakes_it(evaluation: Rig) -> None:
    rig = evaluation
    await rig.workspace()
    await rig.segment("active", ACTIVE)
    rig.start()
    await rig.settled()
    await rig.send([bought("1", "ann", T), bought("2", "ann", T + 5), bought("3", "bob", T)])
    await rig.settled()
    assert await rig.members("active") == {"ann"}
    await rig.clock(T + HOUR)
    await rig.settled()
    assert await rig.members("active") == set()
    heard = [each for _, each in await rig.announced()]
    assert [(each.kind, each.at_ms, each.sequence, each.cause, each.event_id) for each in heard] == [
        ("entered", T + 5, 1, "event", "2"),
        ("exited", T + HOUR, 2, "clock", None),
    ]
