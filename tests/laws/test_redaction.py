"""Laws of redaction: known secrets never survive, and ordinary values never change."""

import base64
import gzip
import json
import uuid
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from planting import WRITINGS, decodings

from pytest_imagedetail.errors import LeakError
from pytest_imagedetail.model import Headers, Interaction, Response
from pytest_imagedetail.redact import Known, placeholders, redact
from pytest_imagedetail.redact.final_check import refuse_leaks
from pytest_imagedetail.redact.known import is_searchable

PROJECT = "c0ffee00c0ffee00c0ffee00c0ffee01"
ENDPOINT = f"https://nova.acme.example:8774/v2/{PROJECT}"
IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b"
THOROUGH = settings(derandomize=True, max_examples=500, deadline=None)

COVERED = sorted({*WRITINGS} - {"percent twice"})  # three times in a link: not decoded
PLACES = ("name", "metadata", "key", "link", "location", "query", "text", "latin-1", "gzip")
SECRETS = st.one_of(
    st.text("abcXYZ012-_.~", min_size=8, max_size=40),
    st.text("abc\"'\\/<>&%+= {}012", min_size=8, max_size=30),
    st.just("Sp4ce Pw&99/x"),
    st.text("0123456789abcdef", min_size=33, max_size=64),
    st.binary(min_size=12, max_size=24).map(lambda raw: base64.b64encode(raw).decode()),
).filter(lambda text: len(set(text)) > 4 and text.strip() == text and is_searchable(text))


def interaction(place="", text="", *, image=None):
    """Return a listing with a text in one place."""
    image = image or {"id": IMAGE, "name": "a", "metadata": {}}
    image["links"] = [{"rel": "self", "href": f"{ENDPOINT}/images/{IMAGE}"}]
    url, got = f"{ENDPOINT}/images/detail", [("Content-Type", "application/json")]
    match place:
        case "name":
            image["name"] = text
        case "metadata":
            image["metadata"]["note"] = text
        case "key":
            image["metadata"][text] = "x"
        case "link":
            image["links"][0]["href"] += f"?by={quote(text, safe='')}"
        case "location":
            got.append(("Location", f"{ENDPOINT}/images?by={quote(text, safe='')}"))
        case "query":
            url += f"?name={quote(text, safe='')}"
    body = json.dumps({"images": [image]}, ensure_ascii=False).encode()
    if place in {"text", "latin-1"}:
        body = f"it failed: {text}".encode("latin-1" if place == "latin-1" else "utf-8")
    if place == "gzip":
        body = gzip.compress(f"it failed: {text}".encode())
    response = Response(status_code=200, headers=Headers(got), body=body)
    return Interaction(url=url, response=response)


def written(page):
    fields = [*page.request_headers.fields, *page.response.headers.fields]
    return [page.url, page.response.reason, page.response.body, *(value for _, value in fields)]


@THOROUGH
@given(SECRETS, st.sampled_from(COVERED), st.sampled_from(PLACES))
@example("000012X.", "percent", "link")
@example("000012X.", "raw", "query")
def test_no_known_secret_survives_in_any_covered_encoding(secret, encoding, place):
    """The final check accepts the result."""
    page = interaction(place, WRITINGS[encoding](secret))
    redacted = redact([page], cloud="a", known=Known(secrets=frozenset({secret})))
    (kept,) = redacted.interactions
    for value in written(kept):
        data = value if isinstance(value, bytes) else value.encode()
        plain = gzip.decompress(data) if place == "gzip" and data[:1] == b"\x1f" else data
        found = decodings(plain.decode("latin-1"))
        assert not any(secret in each for each in found), (encoding, place, value)
        refuse_leaks(data, known=redacted.known, where="here")


@THOROUGH
@given(SECRETS, st.sampled_from(COVERED))
def test_the_final_check_refuses_what_was_not_redacted(secret, encoding):
    data = f"note: {WRITINGS[encoding](secret)}".encode()
    with pytest.raises(LeakError) as refused:
        refuse_leaks(data, known=Known(secrets=frozenset({secret})), where="here")
    assert secret not in str(refused.value)


WORDS = st.one_of(
    st.from_regex(r"[A-Za-z][\w.+-]{0,20}", fullmatch=True),
    st.from_regex(r"\d{1,3}(\.\d{1,3}){1,4}", fullmatch=True),
    st.from_regex(r"[a-f0-9]{0,4}(::?[a-f0-9]{0,4}){1,7}", fullmatch=True),
    st.from_regex(r"[a-z]{2,8}@[a-z]{2,9}:[\w/.]{1,20}", fullmatch=True),
    st.from_regex(r"/[\w./-]{0,30}(\?[\w.]{1,9}=[\w.-]{0,9})?(#[\w=.]{0,9})?", fullmatch=True),
    st.uuids().map(str),
    st.text(max_size=20),
    st.sampled_from(
        [
            *("BIGIP-15.1.2.1", "5.15.0.91", "enabled", "disabled", "a::b", "x86_64", "v1.2.3"),
            *("password authentication", "the token: see the docs", "Basic installation", "sk-lo"),
            *("10.0.0.4", "db.internal", "Zürich", "name=value", "key: value", "-----BEGIN-----"),
            *("application/vnd.openstack.image", "sha256:0f0f", "Bearer plan", "https:", "://"),
        ]
    ),
)
KEYS = st.sampled_from(
    [
        *("os_version", "kernel", "description", "password_auth", "token_type", "key_name"),
        *("image_url", "hw_rng_model", "img_signature", "public_key", "secret_name", "note"),
        *("base_image_ref", "instance_uuid", "min_ram", "fingerprint", "token_expires_at"),
    ]
)


@THOROUGH
@given(st.dictionaries(KEYS, WORDS), WORDS)
@example({"note": "git@host:path"}, "BIGIP-15.1.2.1")
def test_ordinary_values_do_not_change(metadata, name):
    """Names, versions, paths, queries, git addresses, and text that looks like IPv6."""
    known = Known(project=PROJECT, secrets=frozenset({"gAAAAABtoken-of-this-session-0123456789"}))
    page = interaction("query", name, image={"id": IMAGE, "name": name, "metadata": metadata})
    (kept,) = redact([page], cloud="a", known=known).interactions
    (image,) = json.loads(kept.response.body)["images"]
    assert image["metadata"] == metadata
    assert image["name"] == name
    assert kept.url.partition("?")[2] == page.url.partition("?")[2]


DOCUMENTS = st.recursive(
    st.one_of(
        WORDS, st.integers(), st.none(), st.booleans(), SECRETS, st.uuids().map(lambda u: u.hex)
    ),
    lambda below: st.one_of(
        st.lists(below, max_size=3),
        st.dictionaries(
            st.one_of(
                KEYS, st.sampled_from(["password", "owner_id", "owner", "addr", "token", "id"])
            ),
            below,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@THOROUGH
@given(DOCUMENTS, st.sampled_from(["", "query", "text", "gzip"]), WORDS)
def test_the_final_check_refuses_nothing_that_was_redacted(document, place, text):
    """Redaction replaces everything that the final check looks for."""
    assume(text.isprintable())
    image = {"id": IMAGE, "name": "a", "metadata": {"any": document}}
    pages = [interaction(image=image), interaction(place, text)]
    redacted = redact(pages, cloud="a", known=Known(project=PROJECT))
    for page in redacted.interactions:
        for value in written(page):
            data = value if isinstance(value, bytes) else value.encode("utf-8", "replace")
            refuse_leaks(data, known=redacted.known, where="here")


@THOROUGH
@given(DOCUMENTS)
def test_redacting_twice_is_redacting_once(document):
    image = {"id": IMAGE, "name": "a", "metadata": {"any": document}}
    once = redact([interaction(image=image)], cloud="a", known=Known(project=PROJECT))
    twice = redact(once.interactions, cloud="a", known=Known())
    assert twice.interactions == once.interactions
    assert not twice.places


OWNERS = st.lists(st.uuids(), min_size=2, max_size=6)


@THOROUGH
@given(OWNERS, st.data())
def test_owners_are_equal_after_redaction_if_and_only_if_they_were(owners, data):
    """This holds for any spelling of the id, in all pages, cassettes and clouds."""
    spellings = (str, lambda each: each.hex, lambda each: str(each).upper())
    shown = [data.draw(st.sampled_from(spellings))(each) for each in owners]
    found = []
    for number, owner in enumerate(shown):
        image = {"id": IMAGE, "name": "a", "metadata": {"owner_id": owner, "note": f"of {owner}"}}
        page = interaction(image=image)
        (kept,) = redact([page], cloud=f"cloud-{number % 2}", known=Known()).interactions
        (image,) = json.loads(kept.response.body)["images"]
        new = image["metadata"]["owner_id"]
        assert image["metadata"]["note"] == f"of {new}"
        assert [each == "-" for each in new] == [each == "-" for each in owner]
        assert placeholders.is_owner_placeholder(new)
        found.append(uuid.UUID(new))
    for one, other in pairwise(owners):
        same = found[owners.index(one)] == found[owners.index(other)]
        assert same == (one == other)
