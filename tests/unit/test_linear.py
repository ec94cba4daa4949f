"""Whatever a text is made of, looking through it takes time in proportion to its length.

A cloud, a stranger's recording or an image's metadata decides what is looked through; one long word
must not hold a commit up for an hour.
"""

import json
import time
from functools import partial

import pytest

from pytest_imagedetail.errors import LeakError
from pytest_imagedetail.model import Headers, Interaction, Response
from pytest_imagedetail.redact import Secrets, placeholder, project_in_path, redact
from pytest_imagedetail.redact.decodings import is_readable, readings
from pytest_imagedetail.redact.final_check import refuse_leaks
from pytest_imagedetail.redact.shapes import (
    basic_credentials,
    names_secret,
    names_signature,
    replace_named,
    replace_shapes,
)
from pytest_imagedetail.redact.suspicious import suspicious
from pytest_imagedetail.redact.traffic import secrets_in

SHORT, LONG = 2_000, 20_000
MOST = 40  # times as long for ten times the text: ten is linear, a hundred quadratic
NOISE = 0.03  # seconds; the longer text in less says that nothing is wrong

URL = "https://nova.corp.test/v2/images/detail"
PIECES = [
    *("x", "a-", "a.", "0", ":", "://", "%25", "@", "=", "\\", "1.", "a1-", "aB9+/", " ", "\n"),
    *("<", "&", '"', "_", "é", "\n- ", "ff:", "<a", "\\u", "eyJ", "gAAAAA", "AKIA", "Basic "),
    *("-----BEGIN ", "password", "password=", "password: ", "<redacted-1>", "a:a", 'a="', "/v2/"),
    *("<a><![CDATA[", "]]><![CDATA[", "<password><![CDATA["),
    *("x-auth-token: ", "http://a:", "a@a.", "nova.corp.test.", 'name="a"\r\n', "%40", ".invalid"),
    *('"aa":"', "1.1.1.", "<password>", "&#1"),
    *("compute.", "2001:db8::", "%3A2001:db8::", "192.0.2.1.", "240.1."),
    *('"name":"token",', '"value":"', '"value":"x",', '<a b="', '<a b="c" ', "<a b=c", "<a b='c'"),
    *("aB9+/aB9+/\n", "aB9+/aB9+/ ", 'aB9+/aB9+/" ', '"aB9+/aB9+/",', "\r", "aB9+/aB9+/\\n", " \n"),
]
TAIL = ' http://x.example.com/ a@b.cd, x="1" %40 &amp; password=hunter2-7741 :: nova.corp.test !'


def interaction(text, *, body):
    """An exchange with the text in places that a cloud and a client fill."""
    return Interaction(
        url=URL,
        request_headers=Headers([("Cookie", text), ("Authorization", f"OAuth {text}")]),
        request_body=f"--{text}".encode(),
        response=Response(
            status_code=200, reason="OK", headers=Headers([("Location", text)]), body=body
        ),
    )


def redacted(text):
    body = json.dumps({"images": [{"metadata": {"a": text, text: "a"}}]}).encode()
    secrets = Secrets(values=frozenset({"another-secret"}), ids=frozenset({"a" * 31 + "1"}))
    redact([interaction(text, body=body)], cloud="a", secrets=secrets)


def redacted_xml(text):
    page = interaction("", body=f'<?xml version="1.0"?><a b="c">{text}</a>'.encode())
    redact([page], cloud="a", secrets=Secrets())


def exposed(text):
    secrets_in([interaction(text, body=f"<{text}".encode())])


def refused(text):
    try:
        refuse_leaks(text.encode(), secrets=["another-secret"], where="")
    except LeakError:
        return


def suspected(text):
    bodies = (text.encode(), json.dumps({text: [text]}).encode())
    list(suspicious([interaction("", body=each) for each in bodies]))


def named(text):
    for judge in (names_secret, names_signature, basic_credentials, project_in_path):
        judge(text)


WAYS = {
    each.__name__: each for each in (redacted, redacted_xml, exposed, refused, suspected, named)
} | {
    "replace_shapes": partial(replace_shapes, replace=lambda _: "<redacted-1>"),
    "replace_named": partial(replace_named, replace=lambda _: "<redacted-1>"),
    "readings": lambda text: list(readings(text.encode(), shortest=4)),
    "holds": placeholder.holds,
    "is_readable": lambda text: is_readable(text.encode()),
}


def seconds(way, text):
    """Of the processor's time: others may use it meanwhile."""
    start = time.thread_time()
    WAYS[way](text)
    return time.thread_time() - start


@pytest.mark.parametrize("way", WAYS)
def test_ten_times_the_text_takes_some_ten_times_the_time(way):
    """Not a hundred times, whatever is repeated, and with what matches may end with behind it."""
    slow = []
    for piece in PIECES:
        for tail in ("", TAIL):
            long = seconds(way, piece * (LONG // len(piece)) + tail)
            if long < NOISE:
                continue
            short = seconds(way, piece * (SHORT // len(piece)) + tail)
            if long > MOST * short:  # a busy machine may do that once
                long = min(seconds(way, piece * (LONG // len(piece)) + tail) for _ in range(3))
            if long > MOST * short:
                slow.append((piece, tail, short, long))
    assert slow == []


def test_a_long_number_of_a_character_is_none():
    """Python makes no integer of thousands of digits; a text may hold them all the same."""
    for digits in ("1" * 5000, "x" + "f" * 5000):
        list(readings(f"&#{digits};".encode(), shortest=4))
        redacted_xml(f"<!-- &#{digits}; -->")
