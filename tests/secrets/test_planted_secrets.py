"""A secret of the session, planted anywhere and written any way, is not in the file, or no file is.

The oracle takes the written bytes apart by itself; it knows nothing of the gate.
"""

import base64
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from planting import WRITINGS, is_in

from pytest_imagedetail.cassette import Store
from pytest_imagedetail.errors import LeakError
from pytest_imagedetail.model import Headers, Interaction, Provenance, Recording, Response
from pytest_imagedetail.redact import Secrets, redact

PROJECT = "c0ffee00c0ffee00c0ffee00c0ffee01"
ENDPOINT = f"https://nova.acme.example:8774/v2/{PROJECT}"
PATIENT = settings(derandomize=True, max_examples=800, deadline=None)

LETTERS = st.text("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", min_size=12)
SECRETS = st.one_of(
    LETTERS,
    st.text("0123456789", min_size=12, max_size=20),
    st.text("abcXYZ012-_.~", min_size=12, max_size=40),
    st.text("abc\"'\\/<>&%+= {}é日", min_size=12, max_size=30),
    st.binary(min_size=12, max_size=24).map(lambda raw: base64.b64encode(raw).decode()),
).filter(lambda text: len(set(text)) > 4 and text.strip() == text)


PLACES = ("name", "metadata", "key", "link", "header", "request header", "query", "location")


def interaction(place, text):
    """A listing that has the text in one place."""
    image = {"id": "70a599e0-31e7-49b7-b260-868f441e862b", "name": "a", "metadata": {}}
    image["links"] = [{"rel": "self", "href": f"{ENDPOINT}/images/{image['id']}"}]
    url, sent, got = f"{ENDPOINT}/images/detail", [("Accept", "application/json")], []
    match place:
        case "name":
            image["name"] = text
        case "metadata":
            image["metadata"]["note"] = text
        case "key":
            image["metadata"][text] = "x"
        case "link":
            image["links"][0]["href"] += f"?by={quote(text, safe='')}"
        case "header":
            got.append(("Set-Cookie", f"session={quote(text, safe='')}"))
        case "location":
            got.append(("Location", f"{ENDPOINT}/images?by={quote(text, safe='')}"))
        case "request header":
            sent.append(("X-Auth-Token", quote(text, safe="")))
        case "query":
            url += f"?name={quote(text, safe='')}"
    body = json.dumps({"images": [image]}, ensure_ascii=False).encode()
    headers = Headers([("Content-Type", "application/json"), *got])
    return Interaction(
        url=url,
        request_headers=Headers(sent),
        response=Response(status_code=200, headers=headers, body=body),
    )


def refused(store, recording, secrets):
    """The text of a refusal to write, or None where it was written."""
    try:
        store.write(recording, secrets=secrets)
    except LeakError as error:
        return str(error)
    return None


@PATIENT
@given(SECRETS, st.sampled_from(sorted(WRITINGS)), st.sampled_from(PLACES))
def test_a_planted_secret_is_not_written(secret, writing, place):
    """Redacted away, or refused with an error that does not show it and a folder left empty."""
    planted = interaction(place, WRITINGS[writing](secret))
    secrets = Secrets(project_id=PROJECT, values=frozenset({secret}), ids=frozenset({PROJECT}))
    done = redact([planted], cloud="staging", secrets=secrets)
    recording = Recording(
        provenance=Provenance(cloud="staging", recorded_at="2026-11-24T08:00:00Z"),
        interactions=done.interactions,
    )
    with TemporaryDirectory() as folder:
        store = Store(directory=Path(folder))
        refusal = refused(store, recording, done.replaced | {secret})
        written = list(Path(folder).rglob("*.yaml"))
        if refusal is not None:
            assert secret not in refusal
            assert not written
            return
        (path,) = written
        assert not is_in(secret, path.read_bytes())
        assert not is_in(PROJECT, path.read_bytes())
        assert b"acme" not in path.read_bytes()


def test_the_oracle_sees_every_writing():
    """Else the law above would prove nothing."""
    secret = "correct-horse 7741 é"
    for name, write in WRITINGS.items():
        document = yaml.safe_dump({"body": write(secret)}, allow_unicode=True)
        assert is_in(secret, document.encode()), name
