"""What redaction writes is found again, wherever it stands; little else is taken for it."""

import json
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest

from pytest_imagedetail.model import Interaction, Response
from pytest_imagedetail.redact import Secrets, redact
from pytest_imagedetail.redact.placeholder import (
    CALLER,
    ID,
    INTERFACE,
    KINDS,
    PERSON,
    SECRET,
    V4,
    V6,
    finder,
    holds,
    is_id,
    name_in,
    spelled,
)

FORMS = {
    "plain": "{}".format,
    "in a text": "of {}, say.".format,
    "in JSON": lambda text: json.dumps({"a": [text]}),
    "in XML": lambda text: f"<a>{escape(text)}</a>",
    "in a query": lambda text: f"/x?y={quote(text, safe='')}&z=1",
    "behind a space in a query": lambda text: f"/x?y=a%20{quote(text, safe='')}%20b",
    "behind a comma in a query": lambda text: f"/x?y=a%2C{quote(text, safe='')}%2Cb",
}
ALL = finder(*KINDS)
SOMEONE = "8c7b6a5943f2a9c4e8b7d41c6a5e0f9d"


def found(text):
    """Kind and name of every placeholder of a text."""
    return [(match.lastgroup, name_in(match)) for match in ALL.finditer(text)]


@pytest.mark.parametrize("write", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_every_kind_is_found_in_every_form(kind, write):
    """By the same name, however it is spelled; the first, the next and one of many."""
    for number in (1, 2, 300, 70_000):
        text = write(kind.whole(number))
        assert found(text) == [(kind.name, kind.write(number))]
        assert holds(text)
        again = finder(kind).sub(lambda match: spelled(kind.write(7), match), text)
        assert again == write(kind.whole(7))


REAL = {
    "id": (SOMEONE, ID),
    "AUTH_": (f"AUTH_{SOMEONE}", ID),
    "secret": ("gAAAAABplanted-token-of-somebody-0123456789", SECRET),
    "person": ("jane@corp.test", PERSON),
    "interface": ("fa:16:3e:01:02:03", INTERFACE),
    "v4": ("10.1.2.3", V4),
    "v6": ("fd00::17", V6),
}


@pytest.mark.parametrize(("real", "kind"), REAL.values(), ids=REAL)
@pytest.mark.parametrize(
    "place",
    [
        '{{"a": "{plain}"}}',
        '{{"a": "see https://nova.corp.test/v2.1/x?y=a%20{encoded}%20b"}}',
        '<?xml version="1.0"?><images><a>of {plain}</a></images>',
    ],
    ids=["JSON", "URL", "XML"],
)
def test_what_redaction_writes_is_found(real, kind, place):
    """Each place as redaction leaves it, in the spelling that stands there."""
    body = place.format(plain=real, encoded=quote(real, safe=""))
    page = Interaction(
        url="https://nova.corp.test/v2.1/images",
        response=Response(status_code=200, body=body.encode()),
    )
    secrets = Secrets(values=frozenset({REAL["secret"][0]}), ids=frozenset({SOMEONE}))
    (done,) = redact([page], cloud="k5", secrets=secrets).interactions
    written = done.response.body.decode()
    assert real not in written
    assert quote(real, safe="") not in written
    assert kind.name in [name for name, _ in found(written)]


@pytest.mark.parametrize(
    "text",
    [
        f"1{CALLER}",
        f"x{CALLER}",
        f"{CALLER}0",
        SOMEONE,
        "00000000-0000-0000-0000-000000000001",
        "redacted-7",
        "<redacted>",
        "<redacted-x>",
        "user-7",
        "user-7@example.com",
        "super-user-7@example.invalid",
        "02:42:ac:11:00:02",
        "0:02:00:00:00:00:01",
        "192.0.2.1.5",
        "1.192.0.2.1",
        "192.0.3.1",
        "292.0.2.1",
        "103.0.113.1",
        "140.1.2.3",
        "10.0.0.1",
        "2001:db9::1",
        "f:2001:db8::1",
        "compute.invalid",
        "compute.example.com",
        "mycompute.k5.invalid",
        "network.k5.invalid",
        "host-name.k5.invalid",
    ],
)
def test_what_redaction_does_not_write_is_none(text):
    """Though it looks much like it."""
    assert found(text) == []
    assert not holds(text)


def test_an_id_is_the_whole_text():
    """The project that asked is the first of them."""
    assert (CALLER, bool(is_id(CALLER)), bool(is_id(ID.write(7)))) == ("0" * 32, True, True)
    assert not is_id(f"{CALLER}\n")
    assert not is_id(f"AUTH_{CALLER}")
