"""Waits that a cloud asks for and tokens that expire, without a clock and without a cloud."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_imagedetail.errors import CredentialsError, RecordingError
from pytest_imagedetail.model import Headers, Interaction, Response
from pytest_imagedetail.record import retry as patience
from pytest_imagedetail.record.retry import Patience
from pytest_imagedetail.transport.http import Access

NOW = datetime(2026, 11, 23, 12, 0, 0, 400_000, tzinfo=UTC)
ACCESS = Access(endpoint="http://nova.example/v2/p", token="first", project_id="p")
MINUTE_AGO = "Mon, 23 Nov 2026 11:59:00 GMT"


def answer(status, **headers):
    fields = Headers((name.replace("_", "-"), value) for name, value in headers.items())
    return Interaction(
        url="http://nova.example/v2/p/images/detail",
        response=Response(status_code=status, headers=fields, body=b"{}"),
    )


@pytest.fixture
def slept(monkeypatch):
    """Every wait, in seconds; none is waited for."""
    waits = []
    monkeypatch.setattr(patience, "sleep", waits.append)

    class Clock(datetime):
        @classmethod
        def now(cls, tz):
            return NOW.astimezone(tz)

    monkeypatch.setattr(patience, "datetime", Clock)
    return waits


class Asked:
    """One recording's patience, and what was asked and said meanwhile."""

    def __init__(self, *answers, access=ACCESS, expect=None):
        self.answers = list(answers)
        self.tokens = []
        self.said = []
        self.patience = Patience(access, expect=expect, report=self.said.append)

    def __call__(self, name="a"):
        return self.patience.ask(self.attempt, name=name)

    def attempt(self, access):
        self.tokens.append(access.token)
        return self.answers.pop(0)


@pytest.mark.parametrize("status", [413, 429, 503])
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "0"}, 0),
        ({"Retry_After": "1"}, 1),
        ({"Retry_After": " 60 "}, 60),
        ({"Retry_After": "Mon, 23 Nov 2026 12:00:30 GMT"}, 29.6),
        ({"Retry_After": "Mon, 23 Nov 2026 11:59:07 GMT", "Date": MINUTE_AGO}, 7),
        ({"Retry_After": "Mon, 23 Nov 2026 12:00:30 -0000"}, 29.6),
        ({"Retry_After": "Mon, 23 Nov 2026 12:00:30 GMT", "Date": "today"}, 29.6),
        ({"Retry_After": "Mon, 23 Nov 2026 11:00:00 GMT"}, 0),
    ],
    ids=["none", "one", "all", "date", "their clock", "no zone", "no clock", "past"],
)
def test_a_cloud_is_given_the_time_it_wants(slept, status, headers, seconds):
    """In seconds or until a date, which is one of the cloud's own clock."""
    asked = Asked(answer(status, **headers), answer(200))
    assert asked().response.status_code == 200
    assert slept == pytest.approx([seconds])
    assert len(asked.tokens) == 2


@pytest.mark.parametrize(
    "text",
    ["-1", "", "soon", "1.5", "1, 2", "0x10", "1e3", "Mon, 99 Nov 2026 12:00:00 GMT", "\u00b2"],
)
def test_nonsense_is_no_reason_to_wait(slept, text):
    """Then the answer is final, as it is without the header."""
    asked = Asked(answer(503, Retry_After=text))
    assert asked().response.status_code == 503
    assert slept == []


@pytest.mark.parametrize("status", [200, 202, 301, 400, 401, 403, 404, 500, 502])
def test_other_statuses_are_final(slept, status):
    """Retry-After means something else there, or nothing."""
    assert Asked(answer(status, Retry_After="1"))().response.status_code == status
    assert slept == []


def test_a_status_that_is_wanted_is_final(slept):
    """Who expects a 429 asks for one."""
    assert Asked(answer(429, Retry_After="1"), expect=429)().response.status_code == 429
    assert slept == []


def test_a_long_wait_is_announced(slept):
    """A second passes unnoticed; more looks like a hang. The cloud is named, not its address."""
    asked = Asked(answer(429, Retry_After="1"), answer(503, Retry_After="5"), answer(200))
    asked("a, page 2")
    assert asked.said == ["cloud a, page 2 answered 503 and wants 5 seconds of rest; waiting"]


@pytest.mark.parametrize(
    ("waits", "problem", "after"),
    [
        (["61"], "the cloud answered 429 and wants 61 seconds of rest", "2026-11-23T12:01:01Z"),
        (
            ["1", "60"],
            "the cloud answered 429 again after 1 wait and wants 60 seconds of rest",
            "2026-11-23T12:01:00Z",
        ),
        (
            ["1", "2", "3", "1"],
            "the cloud answered 429 again after 3 waits and wants 1 second of rest",
            "2026-11-23T12:00:01Z",
        ),
        (
            ["Mon, 23 Nov 2026 13:00:00 GMT"],
            "the cloud answered 429 and wants 3600 seconds of rest",
            "2026-11-23T13:00:00Z",
        ),
        (
            ["9" * 5000],
            "the cloud answered 429 and wants 3153600000 seconds of rest",
            "2126-10-30T12:00:00Z",
        ),
        (
            ["Fri, 31 Dec 9999 23:59:59 GMT"],
            "the cloud answered 429 and wants 3153600000 seconds of rest",
            "2126-10-30T12:00:00Z",
        ),
    ],
    ids=["at once", "altogether", "too often", "date", "for ever", "last day"],
)
def test_patience_ends(slept, waits, problem, after):
    """Three waits and a minute for one answer; then it is said when to come again."""
    asked = Asked(*(answer(429, Retry_After=text) for text in waits))
    with pytest.raises(RecordingError) as caught:
        asked("k5")
    assert str(caught.value) == (
        f"{problem}\n"
        "  where: cloud k5\n"
        "  next:  nothing was written and an older recording is untouched\n"
        f"  next:  ask again after {after}\n"
        "  next:  (one answer is waited for 3 times and 60 seconds at most)"
    )
    assert len(slept) == len(waits) - 1


def test_every_page_has_waits_of_its_own(slept):
    """A listing of many pages may meet a rate limit on each."""
    asked = Asked(*[answer(429, Retry_After="40"), answer(200)] * 3)
    for _ in range(3):
        asked()
    assert slept == [40, 40, 40]


@given(st.text(max_size=40) | st.from_regex(r"[A-Z][a-z]{2}, [0-9]{1,25} Jan [0-9]{1,25} \S*"))
def test_no_header_breaks_it(text):
    """Whatever stands there, the answer is waited for, final, or refused."""
    seconds = patience._wanted(answer(503, Retry_After=text).response)
    assert seconds is None or 0 <= seconds <= patience._CENTURY


def renewing(**facts):
    """An access with a new token to be had, and how often it was fetched."""
    fetched = []

    def renew():
        fetched.append(1)
        return replace(ACCESS, **({"token": "second"} | facts))

    return replace(ACCESS, renew=renew), fetched


def test_an_expired_token_is_renewed_once(slept):
    """The recording goes on with the new one; a second refusal is about something else."""
    access, fetched = renewing()
    asked = Asked(answer(200), answer(401), answer(200), answer(200), answer(401), access=access)
    assert [asked().response.status_code for _ in range(4)] == [200, 200, 200, 401]
    assert asked.tokens == ["first", "first", "second", "second", "second"]
    assert [each.token for each in asked.patience.accesses] == ["first", "second"]
    assert fetched == [1]


def test_a_new_token_that_is_refused_is_final():
    """Asking for a third would go on for ever."""
    access, fetched = renewing()
    asked = Asked(answer(401), answer(401), access=access)
    assert asked().response.status_code == 401
    assert fetched == [1]


def test_nobody_renews():
    """Without a way to, a 401 is an answer."""
    assert Asked(answer(401))().response.status_code == 401


def test_a_401_that_is_wanted_renews_nothing():
    """A test of a refusal must see it."""
    access, fetched = renewing()
    assert Asked(answer(401), access=access, expect=401)().response.status_code == 401
    assert fetched == []


@pytest.mark.parametrize("facts", [{"project_id": "q"}, {"endpoint": "http://nova.example/v2/q"}])
def test_a_new_token_for_another_project_is_refused(facts):
    """Two pages of two projects are no listing; neither is named."""
    access, _ = renewing(**facts)
    with pytest.raises(RecordingError) as caught:
        Asked(answer(401), access=access)()
    assert str(caught.value) == (
        "the token expired, and the new one is for another project or endpoint\n"
        "  where: cloud a\n"
        "  next:  nothing was written and an older recording is untouched\n"
        "  next:  ask again: one recording is of one project of one cloud"
    )


def test_keystone_refuses_to_renew():
    """Its own words say more than the 401."""

    def renew():
        raise CredentialsError("Keystone gave no token", remedy="check")

    with pytest.raises(CredentialsError):
        Asked(answer(401), access=replace(ACCESS, renew=renew))()
