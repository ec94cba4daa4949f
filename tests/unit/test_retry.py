"""Requests to wait, expired tokens and failed logins, without a clock or a cloud."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from pytest_imagedetail.errors import CredentialsError, RecordingError
from pytest_imagedetail.model import Headers
from pytest_imagedetail.record import retry
from pytest_imagedetail.record.retry import Retry
from pytest_imagedetail.record.sessions import CloudSessions
from pytest_imagedetail.transport import http as transport
from pytest_imagedetail.transport.http import Access
from unit import interaction_of

ACCESS = Access(endpoint="http://nova.example/v2/p", token="first", project_id="p")


def answer(status, wait=None):
    """Build a response that asks to wait, if there is a text for it."""
    headers = [] if wait is None else [("Retry-After", wait)]
    return interaction_of("http://nova.example/v2/p/images/detail", "{}", status, headers=headers)


@pytest.fixture(autouse=True)
def slept(monkeypatch):
    """Collect the waits in seconds."""
    waits = []
    monkeypatch.setattr(retry, "sleep", waits.append)
    return waits


@pytest.fixture
def status(monkeypatch):
    """Return the status of the answer that is final, of several canned ones."""

    def status(*answers):
        left = list(answers)
        monkeypatch.setattr(transport, "get", lambda *_, **__: left.pop(0))
        received = Retry(ACCESS).get("http://nova.example/", Headers(), name="k5")
        return received.response.status_code

    return status


def test_which_answers_are_waited_for(slept, status):
    """Not those with another status or a malformed header."""
    for code in (413, 429, 503):
        for text, seconds in (("0", 0), (" 60 ", 60)):
            slept.clear()
            assert status(answer(code, text), answer(200)) == 200
            assert slept == [seconds]
    slept.clear()
    date, two = "Mon, 23 Nov 2026 12:00:30 GMT", "\u00b2"
    for text in ("-1", "", "1.5", date, "9" * 5000, two):
        assert status(answer(503, text)) == 503, text
    for code in (200, 301, 401, 500, 502):
        assert status(answer(code, "1")) == code
    assert slept == []


def test_waits_have_a_limit(slept, status):
    """Three waits and a minute for one answer. The error says how long the cloud asks to wait."""
    for waits in (["61"], ["1", "60"], ["1", "2", "3", "1"]):
        slept.clear()
        with pytest.raises(RecordingError) as caught:
            status(*(answer(429, text) for text in waits))
        assert caught.value.problem == f"the cloud answered 429 and asks to wait {waits[-1]} s"
        assert len(slept) == len(waits) - 1


def test_each_cloud_authenticates_once():
    """A failed login is not repeated, and all threads share a new token."""
    asked = []

    def connect(os_cloud):
        asked.append(os_cloud)
        if os_cloud == "c":
            raise CredentialsError("no", where=os_cloud, remedy="ask")
        return replace(ACCESS, token=f"token-{len(asked)}", renew=lambda: connect(os_cloud))

    sessions = CloudSessions(connect)
    first = sessions.access("a")
    assert sessions.access("a") is first
    assert sessions.access("b").token == "token-2"
    for _ in range(3):
        with pytest.raises(CredentialsError, match="no"):
            sessions.access("c")
    assert asked == ["a", "b", "c"]
    with ThreadPoolExecutor(8) as pool:
        tokens = {each.token for each in pool.map(lambda _: first.renew(), range(8))}
    assert tokens == {"token-4"}
    second = sessions.access("a")
    assert second.token == "token-4"
    assert second.renew().token == "token-5"
    assert [each.token for each in sessions.accesses("a")] == ["token-1", "token-4", "token-5"]
