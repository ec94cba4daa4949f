"""Searching a text takes time in proportion to its length, whatever a cloud or a user sends."""

import json
import time
from contextlib import suppress
from itertools import product

from pytest_imagedetail.errors import LeakError
from pytest_imagedetail.lint.suspicious import suspicious
from pytest_imagedetail.redact import Known, redact
from pytest_imagedetail.redact.final_check import refuse_leaks
from unit import interaction_of

SHORT, LONG = 2_000, 20_000
MOST = 40  # times as long for ten times the text: 10 is linear, 100 is quadratic
NOISE = 0.03  # seconds; below it, times are not compared

URL = "https://nova.corp.test/v2/images/detail"
PIECES = [
    *("x", "a-", "a.", "0", ":", "://", "%25", "@", "=", "\\", "1.", "a1-", "aB9+/", " ", "\n"),
    *("<", "&", '"', "_", "é", "\n- ", "ff:", "<a", "\\u", "eyJ", "gAAAAA", "AKIA", "Basic "),
    *("-----BEGIN ", "password", "password=", "password: ", "<redacted>", "a:a", 'a="', "/v2/"),
    *("password=a(", "password=a('", "password: &a ", 'password="""', "password: |\n ", "owner:a("),
    *("password: a | ", "password=&quot;"),
    *("<a><![CDATA[", "]]><![CDATA[", "<password><![CDATA["),
    *("x-auth-token: ", "http://a:", "a@a.", "nova.corp.test.", 'name="a"\r\n', "%40", ".invalid"),
    *('"aa":"', "1.1.1.", "<password>", "&#1", "<key>a</key>"),
    *("compute.", "2001:db8::", "%3A2001:db8::", "192.0.2.1.", "240.1."),
    *('"name":"token",', '"value":"', '"value":"x",', '<a b="', '<a b="c" ', "<a b=c", "<a b='c'"),
    *("aB9+/aB9+/\n", "aB9+/aB9+/ ", 'aB9+/aB9+/" ', '"aB9+/aB9+/",', "\r", "aB9+/aB9+/\\n", " \n"),
]
TAIL = ' http://x.example.com/ a@b.cd, x="1" %40 &amp; password=hunter2-7741 :: nova.corp.test !'


def interaction(text, *, body):
    """Build an interaction with the text in places that a cloud or a client fills."""
    sent, headers = [("Cookie", text), ("Authorization", f"OAuth {text}")], [("Location", text)]
    request = f"--{text}".encode()
    return interaction_of(URL, body, sent=sent, headers=headers, request_body=request)


KNOWN = Known(
    secrets=frozenset({"another-secret"}),
    owners=frozenset({"a" * 31 + "1"}),
    origins={"https://nova.corp.test": "compute"},
)


def redacted(text):
    body = json.dumps({"images": [{"metadata": {"a": text, text: "a"}}]}).encode()
    page = interaction(text, body=body)
    redact([page], cloud="a", known=KNOWN, emails=True)


def redacted_text(text):
    redact([interaction("", body=f"<{text}".encode())], cloud="a", known=KNOWN)


def redacted_xml(text):
    page = interaction("", body=f'<?xml version="1.0"?><a b="c">{text}</a>'.encode())
    redact([page], cloud="a", known=KNOWN)


def refused(text):
    with suppress(LeakError):
        refuse_leaks(text.encode(), known=KNOWN, where="")


def suspected(text):
    bodies = (text.encode(), json.dumps({text: [text]}).encode())
    list(suspicious([interaction("", body=each) for each in bodies]))


WAYS = (redacted, redacted_text, redacted_xml, refused, suspected)


def seconds(way, text):
    """Return the processor time of this thread, as the machine may be busy."""
    start = time.thread_time()
    way(text)
    return time.thread_time() - start


def test_ten_times_the_text_takes_some_ten_times_the_time():
    """Whatever is repeated, with and without text behind it that matches."""
    slow = []
    for way, piece, tail in product(WAYS, PIECES, ("", TAIL)):
        long = seconds(way, piece * (LONG // len(piece)) + tail)
        if long < NOISE:
            continue
        short = seconds(way, piece * (SHORT // len(piece)) + tail)
        if long > MOST * short:  # a busy machine may cause that once
            long = min(seconds(way, piece * (LONG // len(piece)) + tail) for _ in range(3))
        if long > MOST * short:
            slow.append((way.__name__, piece, tail, short, long))
    assert slow == []
