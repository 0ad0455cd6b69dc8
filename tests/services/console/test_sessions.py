"""The table of sessions, and the bound on attempts, by a clock of our own."""

from __future__ import annotations

from livesegments.client import AsyncClient
from livesegments.client.keys import OwnKey
from livesegments.console.access.attempts import ADDRESSES, MOST_FAILED, Attempts
from livesegments.console.access.origin import Origin, local
from livesegments.console.access.sessions import Sessions

OWN = OwnKey(admin=False, workspace="main", scopes=["read"])


class Clock:
    now = 1_000_000

    def __call__(self) -> int:
        return self.now


def table(clock: Clock, most: int = 3) -> Sessions:
    return Sessions(
        lambda key, workspace: AsyncClient("http://127.0.0.1:1", key, workspace), clock, 1_000, 5_000, most
    )


def test_a_session_lives_while_its_owner_does_something_but_not_for_ever() -> None:
    clock = Clock()
    sessions = table(clock)
    token = sessions.begin("ls_key", OWN)
    for _ in range(5):
        clock.now += 900
        assert sessions.read(token, acted=True) is not None
    clock.now += 500  # 5,000 since it began
    assert sessions.read(token) is None and len(sessions) == 0


def test_a_session_ends_when_nothing_is_done_and_says_why() -> None:
    clock, heard = Clock(), list[str]()
    sessions = table(clock)
    token = sessions.begin("ls_key", OWN)
    session = sessions.read(token)
    assert session is not None
    session.endings.add(heard.append)
    clock.now += 999
    sessions.sweep()
    assert heard == []
    clock.now += 1
    sessions.sweep()
    assert heard == ["expired"] and sessions.read(token) is None


def test_the_table_is_bounded_and_the_idlest_gives_way() -> None:
    clock = Clock()
    sessions = table(clock)
    tokens = []
    for _ in range(4):
        clock.now += 1
        tokens.append(sessions.begin("ls_key", OWN))
        sessions.read(tokens[0], acted=True)
    assert len(sessions) == 3
    assert [sessions.read(token) is not None for token in tokens] == [True, False, True, True]


async def test_nothing_shows_the_key_and_it_is_forgotten() -> None:
    sessions = table(Clock())
    token = sessions.begin("ls_secret", OWN)
    session = sessions.read(token)
    assert session is not None and "ls_secret" not in repr(session) and "ls_secret" not in token
    sessions.end(token, "out")
    assert "ls_secret" not in str(vars(session))
    await sessions.close()


def test_ten_wrong_keys_a_minute_are_enough() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for _ in range(MOST_FAILED):
        assert attempts.wait_s("1.2.3.4") == 0
        attempts.failed("1.2.3.4")
    assert attempts.wait_s("1.2.3.4") == 60 and attempts.wait_s("1.2.3.5") == 0
    clock.now += 60_000
    assert attempts.wait_s("1.2.3.4") == 0
    for number in range(ADDRESSES + 1):
        attempts.failed(str(number))
    assert len(attempts._failed) == ADDRESSES


def test_only_the_consoles_own_pages_speak_for_it() -> None:
    open_, behind = Origin(), Origin("https://console.example/")
    assert open_.is_ours({"host": "a:1", "origin": "http://a:1"})
    assert not any(
        open_.is_ours(each)
        for each in ({"host": "a:1"}, {"host": "a:1", "origin": "http://b:1"}, {"origin": "http://"})
    )
    assert behind.is_ours({"host": "pod:1", "origin": "https://console.example"})
    assert not behind.is_ours({"host": "evil", "origin": "http://evil"})
    assert behind.is_secure and behind.cookie.startswith("__Host-")


def test_after_signing_in_one_stays_on_this_host() -> None:
    assert local("/segments?search=a") == "/segments?search=a"
    bad = ["//evil", "/\\evil", "https://evil", "", None, "/sign-out", "/a\nb", "javascript:1"]
    assert {local(each) for each in bad} == {"/"}
