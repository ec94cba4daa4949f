"""What secrets look like, and what only looks like them."""

import base64

import pytest

from pytest_imagedetail.redact.shapes import (
    basic_credentials,
    is_distinct,
    is_harmless,
    looks_like_id,
    names_secret,
    names_signature,
    replace_named,
    replace_shapes,
)

TOKEN = "gAAAAABlr0" + "x" * 40
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "name",
    [
        *("password", "adminPass", "admin_pass", "PASSWD", "os-password", "upass", "db_pwd", "pw"),
        *("secret", "client_secret", "token", "X-Auth-Token", "api_key", "apikey", "private-key"),
        *("access_key", "authkey", "credential", "Authorization", "Cookie", "Set-Cookie"),
    ],
)
def test_names_of_secrets(name):
    """As Nova, its clients and people write them."""
    if name == "pw":
        assert names_secret("db_pw")
    assert names_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        *("compass", "bypass_rng", "passthrough", "keyboard", "author", "hw_rng_model"),
        *("token_expires", "token_expires_at", "secret_type", "auth_token_url"),
        *("expires", "token_endpoint", "token_ttl", "password_enabled", "os_type", "name"),
    ],
)
def test_names_of_other_things(name):
    """Words that have one in them, and what is told about a secret."""
    assert not names_secret(name)


def test_names_of_signatures():
    """In a query; an image's property of that name is none."""
    assert names_signature("temp_url_sig")
    assert names_signature("X-Amz-Signature")
    assert not names_signature("property-sig")
    assert not names_signature("signed")


def test_values():
    """Flags, words and ids."""
    assert is_harmless("True")
    assert is_harmless("")
    assert not is_harmless("hunter2")
    assert is_distinct("hunter2-7741")
    assert not is_distinct("administrator")
    assert not is_distinct("short1")
    assert looks_like_id("70a599e0")
    assert not looks_like_id("cirrosimage")
    assert not looks_like_id("a1")


@pytest.mark.parametrize(
    "secret",
    [
        TOKEN,
        JWT,
        f"Bearer {TOKEN}",
        "Basic " + base64.b64encode(b"user:password").decode(),
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_0123456789abcdefghij",
        "glpat-0123456789abcdefghij",
    ],
)
def test_forms_of_secrets(secret):
    """All of it goes, and what stands around it stays."""
    assert replace_shapes(f"before {secret} behind", lambda _: "<x>") == "before <x> behind"


def test_a_key_without_an_end():
    """Everything behind its head goes."""
    text = "before -----BEGIN PRIVATE KEY-----\nMIIEow and more"
    assert replace_shapes(text, lambda _: "<x>") == "before <x>"


@pytest.mark.parametrize(
    "text",
    ["Basic installation of it", "bearer of bad news", "eyJust.eyJust", "AKIA", "gAAAAA too short"],
)
def test_what_only_looks_like_one(text):
    """Words stay as they are."""
    assert replace_shapes(text, lambda _: "<x>") == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("mysql://h/db?password=hunter2&ssl=1", "mysql://h/db?password=<x>&ssl=1"),
        ("api_key=abc, retry=3", "api_key=<x>, retry=3"),
        ("X-Auth-Token: abc def\nAccept: a", "X-Auth-Token: <x>\nAccept: a"),
        ("Cookie: <redacted-1>", "Cookie: <redacted-1>"),
        ("password=redacted", "password=redacted"),
        ("nopassword=x", "nopassword=x"),
    ],
)
def test_what_stands_after_a_name_in_free_text(text, left):
    """Assignments and header lines; what was replaced before stays so."""
    assert replace_named(text, lambda _: "<x>") == left


def test_basic_credentials():
    """User and password, in any charset; words are none."""
    encode = base64.b64encode
    assert basic_credentials(encode(b"user:pa:ss").decode()) == ("user", "pa:ss")
    assert basic_credentials(encode("é:ü".encode()).decode()) == ("é", "ü")
    assert basic_credentials(encode(b"\xe9:1234").decode()) == ("é", "1234")
    assert basic_credentials(encode(b"no colon").decode()) is None
    assert basic_credentials("installation") is None
    assert basic_credentials("a") is None
