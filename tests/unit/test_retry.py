"""Waits that a cloud asks for, expired tokens and failed logins, without a clock or a cloud."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from pytest_imagedetail.errors import CredentialsError, RecordingError
from pytest_imagedetail.model import Headers, Interaction, Response
from pytest_imagedetail.record import retry
from pytest_imagedetail.record.retry import Retry
from pytest_imagedetail.record.sessions import CloudSessions
from pytest_imagedetail.transport.http import Access

ACCESS = Access(endpoint="http://nova.example/v2/p", token="first", project_id="p")


def answer(status, wait=None):
    """A response that asks to wait, if there is a text for it."""
    headers = Headers([] if wait is None else [("Retry-After", wait)])
    response = Response(status_code=status, headers=headers, body=b"{}")
    return Interaction(url="http://nova.example/v2/p/images/detail", response=response)


@pytest.fixture(autouse=True)
def slept(monkeypatch):
    """The waits in seconds."""
    waits = []
    monkeypatch.setattr(retry, "sleep", waits.append)
    return waits


class Asked:
    """The retries of one recording, with canned answers."""

    def __init__(self, *answers, access=ACCESS, expect=None):
        self.answers = list(answers)
        self.retry = Retry(access, expect=expect)

    def status(self):
        return self.retry.ask(lambda _: self.answers.pop(0), name="k5").response.status_code


def test_which_answers_are_waited_for(slept):
    """Not another status, a malformed header, or a status that is wanted."""
    for status in (413, 429, 503):
        for text, seconds in (("0", 0), (" 60 ", 60)):
            slept.clear()
            assert Asked(answer(status, text), answer(200)).status() == 200
            assert slept == [seconds]
    slept.clear()
    date, two = "Mon, 23 Nov 2026 12:00:30 GMT", "\u00b2"
    for text in ("-1", "", "soon", "1.5", "1, 2", "0x10", date, "9" * 5000, two):
        assert Asked(answer(503, text)).status() == 503, text
    for status in (200, 202, 301, 400, 401, 403, 404, 500, 502):
        assert Asked(answer(status, "1")).status() == status
    assert Asked(answer(429, "1"), expect=429).status() == 429
    assert slept == []


def test_waits_have_a_limit_and_long_ones_are_announced(slept):
    """Three waits and a minute for one answer; the error says when to ask again."""
    for waits, problem in (
        (["61"], " and asks to wait 61 seconds"),
        (["1", "60"], " again after 1 wait and asks to wait 60 seconds"),
        (["1", "2", "3", "1"], " again after 3 waits and asks to wait 1 second"),
    ):
        slept.clear()
        with pytest.raises(RecordingError) as caught:
            Asked(*(answer(429, text) for text in waits)).status()
        assert caught.value.problem == f"the cloud answered 429{problem}"
        assert len(slept) == len(waits) - 1


def test_a_new_token_is_for_the_same_project_and_endpoint():
    """One recording is of one project of one cloud."""
    for facts in ({"project_id": "q"}, {"endpoint": "http://nova.example/v2/q"}):
        access = replace(ACCESS, renew=lambda facts=facts: replace(ACCESS, **facts))
        with pytest.raises(RecordingError, match="the new one is for another project or endpoint"):
            Asked(answer(401), access=access).status()


class Keystone:
    """Gives a new token at each login, or refuses."""

    def __init__(self, refuses=()):
        self.refuses, self.asked, self.project = refuses, [], "p"

    def connect(self, os_cloud):
        self.asked.append(os_cloud)
        if os_cloud in self.refuses:
            raise CredentialsError("no", where=os_cloud, remedy="ask")
        token, renew = f"token-{len(self.asked)}", lambda: self.connect(os_cloud)
        return replace(ACCESS, token=token, project_id=self.project, renew=renew)


def test_each_cloud_authenticates_once():
    """A failed login is not repeated; a new token is shared, unless it is of another project."""
    keystone = Keystone(refuses={"c"})
    sessions = CloudSessions(keystone.connect)
    assert sessions.access("a") is sessions.access("a")
    assert sessions.access("b").token == "token-2"
    for _ in range(3):
        with pytest.raises(CredentialsError, match="no"):
            sessions.access("c")
    assert keystone.asked == ["a", "b", "c"]
    expired = sessions.access("a")
    with ThreadPoolExecutor(8) as pool:
        tokens = {each.token for each in pool.map(lambda _: expired.renew(), range(8))}
    assert tokens == {"token-4"}
    keystone = Keystone()
    sessions = CloudSessions(keystone.connect)
    second = sessions.access("a").renew()
    assert sessions.access("a") is second
    assert second.renew().token == "token-3"
    assert [each.token for each in sessions.accesses("a")] == ["token-1", "token-2", "token-3"]
    keystone.project = "q"
    assert sessions.access("a").renew().project_id == "q"
    assert sessions.access("a").token == "token-3"
