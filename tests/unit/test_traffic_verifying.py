"""Compare what a cloud answers now with what was recorded."""

from dataclasses import replace

import pytest

from pytest_imagedetail.errors import ResponseError
from pytest_imagedetail.model import Headers
from pytest_imagedetail.record.retry import NOT_ANSWERED
from pytest_imagedetail.traffic.verifying import changes, refuse_no_answer
from unit.traffic import BASE, REMEDIES, kept, recording


def test_verifying_needs_an_answer():
    """A refusal or an outage is one only if it was recorded or is expected."""

    def refuse(old, live, *expected):
        refuse_no_answer(old, live, expected=frozenset(expected), where="t.py::a")

    old = recording(kept("/images"))
    for status in NOT_ANSWERED:
        live = recording(kept("/images", status=status))
        for before in (old, recording(kept("/a", status=status))):
            with pytest.raises(ResponseError) as caught:
                refuse(before, live)
        assert caught.value.status_code == status
        assert str(caught.value) == (
            f"the recording was not verified: the cloud answered {status} to GET {BASE}/images\n"
            "  where: t.py::a; nothing was written\n"
            f"  next:  {REMEDIES[status]}\n"
            f"  next:  or, if the test is about it: imagedetail_cassette.expect({status})"
        )
        refuse(old, live, status)
        refuse(live, live)
    for status in (200, 403, 404, 500):  # compared like any other answer
        refuse(old, recording(kept("/images", status=status)))


def test_each_change_is_a_line():
    """Requests that came and went, statuses, headers but the length, and values by their paths."""
    old = recording(
        kept("/gone"), kept("/a", {"x": 1, "y": [1]}), kept("/s"), kept("/n", b"text"), kept("/w")
    )
    new = recording(
        kept("/a", {"x": "1", "z": 2, "y": [2]}), kept("/s", status=404), kept("/n", b"other"),
        kept("/w", b"{ }"), kept("/w", b"{ }"), kept("/new"),
    )  # fmt: skip
    assert changes(old, new) == [
        f"no longer asked: GET {BASE}/gone",
        f'GET {BASE}/a: body.x: 1 -> "1"',
        f"GET {BASE}/a: body.y[0]: 1 -> 2",
        f"GET {BASE}/a: body.z: absent -> 2",
        f"GET {BASE}/s: status 200 -> 404",
        f"GET {BASE}/n: body: 4 -> 5 bytes",
        f"asked 2 times, recorded 1: GET {BASE}/w",
        f"GET {BASE}/w: body: the same values in another layout",
        f"not recorded: GET {BASE}/new",
    ]
    assert changes(new, new) == []
    one, other = (recording(kept("/a", dict.fromkeys("abcdefghij", n))) for n in (1, 2))
    last = [f"GET {BASE}/a: body.h: 1 -> 2", f"GET {BASE}/a: and 2 more in its body"]
    assert changes(one, other)[7:] == last

    def answered(kind, length):
        headers = Headers([("Content-Type", kind), ("Content-Length", length)])
        one = kept("/a")
        return recording(replace(one, response=replace(one.response, headers=headers)))

    line = f"GET {BASE}/a: header Content-Type: text/plain -> text/html"
    assert changes(answered("text/plain", "2"), answered("text/html", "3")) == [line]
