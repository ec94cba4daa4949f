"""A cloud is opened once in a run: a refused login is not repeated, and a new token is kept."""

import threading
from dataclasses import replace

import pytest

from pytest_imagedetail.errors import CredentialsError
from pytest_imagedetail.record.sessions import CloudSessions
from pytest_imagedetail.transport.http import Access


class Keystone:
    """Gives a new token at each login, or refuses."""

    def __init__(self, refuses=()):
        self.refuses, self.asked, self.project = refuses, [], "p"

    def connect(self, os_cloud):
        self.asked.append(os_cloud)
        if os_cloud in self.refuses:
            raise CredentialsError("no", where=os_cloud, remedy="ask")
        return Access(
            endpoint="http://nova",
            token=f"token-{len(self.asked)}",
            project_id=self.project,
            renew=lambda: self.connect(os_cloud),
        )


def test_a_cloud_is_opened_once():
    """Whoever asks gets the same way."""
    keystone = Keystone()
    sessions = CloudSessions(keystone.connect)
    assert sessions.access("a") is sessions.access("a")
    assert sessions.access("b").token == "token-2"
    assert keystone.asked == ["a", "b"]


def test_a_refused_login_is_not_repeated():
    """A wrong password must not be sent for every test: it locks accounts."""
    keystone = Keystone(refuses={"a"})
    sessions = CloudSessions(keystone.connect)
    for _ in range(3):
        with pytest.raises(CredentialsError, match="no"):
            sessions.access("a")
    assert keystone.asked == ["a"]


def test_a_new_token_is_kept():
    """The next recording begins with it, and can get another one."""
    keystone = Keystone()
    sessions = CloudSessions(keystone.connect)
    first = sessions.access("a")
    second = first.renew()
    assert sessions.access("a") is second
    assert second.renew().token == "token-3"
    assert sessions.access("a").token == "token-3"
    assert [each.token for each in sessions.accesses("a")] == ["token-1", "token-2", "token-3"]
    assert sessions.accesses("b") == ()


def test_threads_that_lost_one_token_get_one_new():
    """Whoever comes second takes what the first got."""
    keystone = Keystone()
    sessions = CloudSessions(keystone.connect)
    expired = sessions.access("a")
    tokens = []
    threads = [
        threading.Thread(target=lambda: tokens.append(expired.renew().token)) for _ in range(8)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert tokens == ["token-2"] * 8


def test_a_token_of_another_project_is_not_kept():
    """Else the next recording would be of another project, in silence."""
    keystone = Keystone()
    sessions = CloudSessions(keystone.connect)
    first = sessions.access("a")
    keystone.project = "q"
    assert first.renew().project_id == "q"
    assert sessions.access("a") is first


def test_a_way_that_nobody_renews_stays_so():
    """A token that a user gave has no login behind it."""
    access = Access(endpoint="http://nova", token="given", project_id="p")
    assert CloudSessions(lambda _: replace(access)).access("a").renew is None


def test_its_repr_shows_no_token():
    """It stands in frames that a failure may show."""
    sessions = CloudSessions(Keystone().connect)
    sessions.access("a")
    assert "token" not in repr(sessions)
