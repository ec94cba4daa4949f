"""Whatever a text can be read in is among the readings; what is no text is told."""

import base64
import gzip
import hashlib
import html
import json
from urllib.parse import quote, quote_plus

import pytest

from pytest_imagedetail.redact.decodings import FOLDED, is_readable, readings

WORDS = 'a "secret" with / and é'


def read(data, shortest=8):
    return dict(readings(data, shortest=shortest))


@pytest.mark.parametrize(
    "written",
    [
        WORDS,
        json.dumps(WORDS),
        json.dumps({"a": json.dumps({"b": WORDS})}),
        quote(WORDS, safe=""),
        quote(quote(WORDS, safe=""), safe=""),
        quote_plus(WORDS),
        html.escape(WORDS),
        base64.b64encode(WORDS.encode()).decode(),
        base64.urlsafe_b64encode(f"?>{WORDS}".encode()).decode(),
        base64.b64encode(gzip.compress(WORDS.encode(), mtime=0)).decode(),
        base64.b64encode(base64.b64encode(WORDS.encode())).decode(),
        json.dumps({"token": quote(json.dumps(WORDS), safe="")}),
    ],
)
def test_every_writing_is_read(written):
    """Alone, and in the middle of other text."""
    for data in (written, f"before {written} behind", f'{{"k": "{written}"}}'):
        assert any(WORDS.encode() in text for text in read(data.encode()).values()), data


def test_packed_files_are_read():
    """The bytes of a whole file may be compressed, and so may what is in them."""
    assert any(WORDS.encode() in text for text in read(gzip.compress(WORDS.encode())).values())


def test_lines_are_joined_in_one_reading():
    """Base64 is wrapped; the form says so, for joined words mean nothing."""
    encoded = base64.b64encode(WORDS.encode()).decode()
    wrapped = "\n".join([encoded[:12], encoded[12:]]).encode()
    assert (FOLDED, encoded.encode()) in readings(wrapped, shortest=8)
    assert any(WORDS.encode() in text for text in read(wrapped).values())


LONG = "0123456789" * 5 + WORDS + "0123456789" * 7
WRAPPED = base64.encodebytes(LONG.encode()).decode()
PACKED = base64.encodebytes(
    gzip.compress(hashlib.sha512(b"").hexdigest().encode() + LONG.encode(), mtime=0)
).decode()


@pytest.mark.parametrize("encoded", [WRAPPED, PACKED], ids=["text", "gzip"])
@pytest.mark.parametrize(
    "write",
    [
        str,
        lambda text: json.dumps({"user_data": text}),
        lambda text: json.dumps({"a": json.dumps({"user_data": text})}),
        lambda text: json.dumps({"user_data": text.replace("\n", "\r\n")}),
        lambda text: json.dumps({"user_data": text.replace("\n", "\n    ")}),
        lambda text: json.dumps({"user_data": f"a word\nsomething\n{text}end\n"}),
        lambda text: json.dumps({"user_data": text.split()}),
        lambda text: json.dumps({"user_data": text.split()}, indent=2),
        lambda text: json.dumps({"a": json.dumps({"user_data": text.split()})}),
        lambda text: "a=" + quote(text, safe=""),
        lambda text: html.escape(text).replace("\n", "&#10;"),
        lambda text: base64.b64encode(text.encode()).decode(),
    ],
)
def test_wrapped_base64_is_read_however_its_lines_are_broken(encoded, write):
    """The break may be JSON's escape, percent-encoded, or that between the texts of a list."""
    found = list(readings(write(encoded).encode(), shortest=8))
    assert any(WORDS.encode() in text for _, text in found)


def test_each_reading_says_how_it_was_come_by():
    """The form is what a refusal shows in place of the value."""
    assert "percent-encoded" in read(b"a%2Fb")
    assert "HTML-escaped" in read(b"a&quot;b")
    assert any("compressed" in form for form in read(gzip.compress(b"text")))


@pytest.mark.parametrize(
    ("data", "readable"),
    [
        (b"", True),
        (b"text", True),
        ("é".encode(), True),
        ("text".encode("utf-16"), True),
        (b"caf\xe9", True),
        (gzip.compress(b"text", mtime=0), True),
        (gzip.compress(gzip.compress(b"text", mtime=0), mtime=0), True),
        (b"\x00\x01\x02\xff", False),
        (gzip.compress(b"\x00\x01\x02\xff", mtime=0), False),
    ],
)
def test_what_can_be_read_at_all(data, readable):
    """Text in whatever charset, and what is compressed text; of other bytes nobody can tell."""
    assert is_readable(data) == readable
