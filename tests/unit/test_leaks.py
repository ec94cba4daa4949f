"""The gate: finds a secret in any form, names the line, and shows nothing."""

import base64
import gzip
import json
import zlib
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_imagedetail.errors import LeakError
from pytest_imagedetail.redact.final_check import refuse_leaks

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


def test_json_in_a_form_is_read():
    """A space is a plus in it, and quotes and what is not ASCII are escaped."""
    secret = 'my "S3cret" pass w\u00f6rd'
    body = urlencode({"payload": json.dumps({"note": secret})}).encode()
    with pytest.raises(LeakError, match="live secret of this session"):
        refuse_leaks(body, secrets=[secret], where="a.yaml")


def test_folded_and_wide_text_is_found():
    """Base64 over several lines, and UTF-16."""
    folded = base64.encodebytes(b"x" * 50 + SECRET.encode() + b"y" * 50)
    assert refusal(folded, SECRET) == message(
        "a live secret of this session (in base64)", "over several lines"
    )
    assert refusal(b"a\nb: " + "hunter2-pass".encode("utf-16-le"), "hunter2-pass") == message(
        "a live secret of this session (in UTF-16)"
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


@pytest.mark.parametrize("before", ["", "x", "xy", "a longer text "])
def test_base64_of_another_word_is_no_hit(before):
    """The bits at its ends count, too, or one password would stop the recording of another."""
    for text in ("hunter5secret", "hunter3", "hunter"):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            data = b"a: " + encode(f"{before}{text} ~~~".encode())
            refuse_leaks(data, secrets={"hunter2"}, where="a.yaml")
    assert "(in base64" in refusal(
        b"a: " + base64.b64encode(f"{before}hunter2 ~~~".encode()), "hunter2"
    )


@pytest.mark.parametrize("spell", [str.lower, str.upper])
def test_a_secret_in_hexadecimal(spell):
    """What a log or a checksum field may turn a token into; with the line it stands on."""
    secret = "correct-horse-battery"
    data = f"first line\n{spell(secret.encode().hex())}\n".encode()
    with pytest.raises(LeakError) as caught:
        refuse_leaks(data, secrets=[secret], where="all.yaml")
    assert "(in hexadecimal)" in caught.value.problem
    assert caught.value.where.startswith("all.yaml, line 2 ")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("gAAAAABm" + "Zq-_" * 10, "something in the shape of a token or key"),
        ("ghp_0123456789abcdefABCDEF", "something in the shape of a token or key"),
        ("Authentication: Basic YWRtaW46c2VjcmV0", "something in the shape of a token or key"),
        (base64.b64encode(b"a longer text, then gAAAAABm" + b"Zq-_" * 10).decode(), None),
        ('{"password": "x-9"}', "a value under the name of a secret"),
        ('{"adminPass" : "Xy7"}', "a value under the name of a secret"),
        (json.dumps(json.dumps({"db_password": "x-9"})), "a value under the name of a secret"),
        (json.dumps("a=1&client_secret=x-9"), "a value under the name of a secret"),
        ("see https://u:p@h.invalid/", "a URL with a user and a password"),
        ("https:\\/\\/u:p@h.invalid\\/", "a URL with a user and a password"),
        ("    X-Auth-Token:\n    - abc", None),
        ("    'Set-Cookie': [a=b]", "a header that carries tokens, credentials or cookies"),
        ("Value: {u'adminPass': u'Zk4mQ9vXw2rT7b'}", "a value under the name of a secret"),
        ("{'password': b'Zk4mQ9vXw2rT7b'}", "a value under the name of a secret"),
        ('{"password"=>"Zk4mQ9vXw2rT7b"}', "a value under the name of a secret"),
        ('{"adminPass": {"n": 1, "value": "Zk4mQ9"}}', "a value under the name of a secret"),
        ('{"passwords": [{"text": "Zk4mQ9"}]}', "a value under the name of a secret"),
        ("<adminPass><![CDATA[Zk4mQ9vXw2]]></adminPass>", "a value under the name of a secret"),
    ],
)
def test_shapes_and_names_that_redaction_might_miss(text, kind):
    """The gate has its own list; under a telling name any value is refused."""
    said = refusal(f"one\n{text}\nthree".encode())
    assert kind is None or said == message(kind)


@pytest.mark.parametrize(
    "text",
    [
        "the Basic installation of this image, see Bearer certificates and basic authentication",
        "a basic understanding: Basic requirements",
        '{"password": "<redacted-1>", "token": "", "secret": "none", "adminPass": "redacted"}',
        '{"password_expires_at": "2026-11-24", "token_type": "bearer", "keys": "x"}',
        '{"token": "{\\"id\\": \\"<redacted-2>\\"}", "compass": "north"}',
        "https://h.invalid/?access_token=%3Credacted-1%3E&api_key=redacted&password=<redacted-3>",
        "Vary: X-Auth-Token\nX-Auth-Token: <redacted-1>\nexpose: X-Subject-Token, Set-Cookie",
        "https://compute.k5.invalid:8774/a@b and user@example.invalid",
        "eyJust a word, AKIA alone, gh_pages, xoxo",
    ],
)
def test_words_and_placeholders_pass(text):
    """Few false alarms, or people would switch the gate off."""
    refuse_leaks(text.encode(), secrets=(), where="a.yaml")


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_compressed_secrets_are_found(pack):
    """As a body, in base64, and compressed twice."""
    packed = pack(b'{"name": "pre hunter2-pass post"}' * 3)
    for data in (packed, b"a: " + base64.b64encode(packed), pack(packed)):
        assert "a live secret of this session" in refusal(data, "hunter2-pass")
        refuse_leaks(data, secrets={"another-secret"}, where="a.yaml")


@pytest.mark.parametrize(
    "body",
    [
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff",
        b"\x28\xb5\x2f\xfd\x04\x00\xff",
        b"\x1f\x8b\x08\x00\xff",
    ],
)
def test_what_nobody_can_read_is_refused(body):
    """A picture, Zstandard, a damaged gzip: a secret in them could not be seen."""
    assert refusal(body, "hunter2-pass") == (
        f"refused to write: {len(body)} bytes are neither text nor compressed text, so nobody can "
        "see whether a secret is in them\n"
        "  where: a.yaml\n"
        "  next:  nothing was written and an older recording is untouched\n"
        "  next:  if they are compressed, let the client ask for another encoding "
        "(Accept-Encoding: gzip)\n"
        "  next:  or keep a request that fetches a file out of what is recorded"
    )


@pytest.mark.parametrize("text", ["naïve café", "日本語"])
def test_text_of_other_charsets_passes(text):
    """Latin-1 and UTF-16 can be read."""
    refuse_leaks(text.encode("utf-16"), secrets={"hunter2-pass"}, where="a.yaml")
    refuse_leaks(text.encode("latin-1", "ignore"), secrets={"hunter2-pass"}, where="a.yaml")


PASSWORD = "correct-horse/7741"
