"""The gate: finds a secret in any form, names the line, and shows nothing."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_imagedetail.errors import LeakError
from pytest_imagedetail.leaks import refuse_leaks

SECRET = 's3cret pä"ss/+\\'


def refusal(data, *secrets):
    with pytest.raises(LeakError) as caught:
        refuse_leaks(data, secrets=secrets, where="a.yaml")
    return str(caught.value)


def message(what, place="line 2"):
    return (
        f"refused to write: {what} was left after redaction\n"
        f"  where: a.yaml, {place} of what would have been written\n"
        "  next:  nothing was written and an older recording is untouched\n"
        "  next:  report it with the line's field name (never its value): "
        "redaction must learn this place"
    )


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (SECRET, "as it is"),
        (quote(SECRET, safe=""), "percent-encoded"),
        (quote(SECRET, safe="/+ "), "percent-encoded"),
        (quote(SECRET, safe="").lower(), "percent-encoded"),
        (quote_plus(SECRET), "form-encoded"),
        (json.dumps(SECRET), "JSON-escaped"),
        (json.dumps(SECRET, ensure_ascii=False), "JSON-escaped"),
        (json.dumps(SECRET).replace("/", "\\/"), "JSON-escaped"),
        (json.dumps(json.dumps(SECRET)), "JSON-escaped"),
        (json.dumps(json.dumps(json.dumps(json.dumps(SECRET)))), "JSON-escaped"),
        (json.dumps(quote(SECRET)).replace("/", "\\/"), "percent-encoded and JSON-escaped"),
        (base64.b64encode(SECRET.encode()).decode(), "in base64"),
        (base64.urlsafe_b64encode(SECRET.encode()).decode(), "in base64"),
    ],
)
def test_every_form_is_found_and_named(text, form):
    """The whole message has line and form, and never the value."""
    said = refusal(f"one\ntwo: {text}\nthree".encode(), SECRET)
    assert said == message(f"a live secret of this session ({form})")


@given(
    st.text(min_size=8, max_size=40), st.binary(max_size=5), st.binary(max_size=5), st.booleans()
)
def test_base64_is_found_at_any_offset(secret, before, after, url_safe):
    """Inside a longer text base64 shifts; what its neighbours do not touch is still found."""
    encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
    data = encode(before + secret.encode() + after)
    said = refusal(b"a\nb: " + data, secret)
    assert said == message("a live secret of this session (in base64)")


@given(st.text(min_size=8, max_size=40))
def test_any_secret_is_found_raw_and_escaped(secret):
    """Whatever characters it has, half of a pair included."""
    for data in (secret.encode(), json.dumps(secret).encode(), quote(secret, safe="").encode()):
        refusal(b'{"a": ' + data + b"}", secret)


def test_half_characters_do_not_break_it():
    """A secret from a JSON escape or from raw bytes may hold no whole character."""
    for secret in ("half \ud83d pair", "raw \udcff byte"):
        refuse_leaks(b"nothing here", secrets={secret}, where="a.yaml")
        refusal(json.dumps(secret).encode(), secret)
    refusal(b"raw \xff byte", "raw \udcff byte")
    refusal(b"raw %FF byte", "raw \udcff byte")


def test_folded_and_wide_text_is_found():
    """Base64 over several lines, and UTF-16."""
    folded = base64.encodebytes(b"x" * 50 + SECRET.encode() + b"y" * 50)
    assert refusal(folded, SECRET) == message(
        "a live secret of this session (in base64)", "over several lines"
    )
    assert refusal(b"a\nb: " + "hunter2-pass".encode("utf-16-le"), "hunter2-pass") == message(
        "a live secret of this session (with zero bytes)"
    )


@pytest.mark.parametrize(
    "text",
    [
        "gAAAAABm" + "Zq-_" * 10,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9.c2ln",
        "Basic YWRtaW46c2VjcmV0",
        "Bearer abcdef0123456789",
        "-----BEGIN RSA PRIVATE KEY-----",
        "Basic\\u0020YWRtaW46c2VjcmV0",
    ],
)
def test_the_shape_of_a_secret_is_enough(text):
    """Another session's token is one too."""
    said = refusal(f"one\ntwo: {text}\n".encode())
    assert said == message("something in the shape of a token or key")


def test_clean_data_passes():
    """Words, placeholders and secrets too short to look for do not stop a write."""
    data = b'{"a": "<redacted-1> \\u00e9 %41 the quick brown fox gAAAAA", "b": "abc"}'
    refuse_leaks(data, secrets={"abc", "", "another-secret"}, where="a.yaml")


def test_the_longest_secret_is_no_excuse_for_the_others():
    """Every secret is looked for, whatever their number."""
    secrets = {f"secret-{number:04d}" for number in range(500)}
    assert "secret-0499" not in refusal(b"a\nb: secret-0499", *secrets)


@pytest.mark.parametrize("spell", [str.lower, str.upper])
def test_a_secret_in_hexadecimal(spell):
    """What a log or a checksum field may turn a token into; with the line it stands on."""
    secret = "correct-horse-battery"
    data = f"first line\n{spell(secret.encode().hex())}\n".encode()
    with pytest.raises(LeakError) as caught:
        refuse_leaks(data, secrets=[secret], where="all.yaml")
    assert "(in hexadecimal)" in caught.value.problem
    assert caught.value.where.startswith("all.yaml, line 2 ")
