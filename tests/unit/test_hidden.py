"""Text that does not show."""

import base64
import copy
import html
import json
import pickle
from urllib.parse import quote, quote_plus

import pytest

from pytest_imagedetail.hidden import Hidden, without
from pytest_imagedetail.model import Headers, Interaction, Response


def test_a_hidden_text_is_used_as_any_other():
    """It is equal, is sent, and joins; only its repr differs, in a dictionary too."""
    token = Hidden("planted-token")
    assert token == "planted-token"
    assert f"{token}" == "planted-token"
    assert token.encode() == b"planted-token"
    assert "planted" not in repr({"X-Auth-Token": token})
    assert "planted" not in repr(pickle.loads(pickle.dumps(copy.deepcopy(token))))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a planted-token here", "a <hidden> here"),
        ("planted-token-and-more", "<hidden>"),  # the longer one first
        ("xplanted-tokenx", "x<hidden>x"),
        ("demo demolition", "<hidden> demolition"),
        ("an abc", "an abc"),
        ("'new\\nline-here'", "'<hidden>'"),
    ],
)
def test_secrets_are_taken_out(text, left):
    """Long ones anywhere and as a repr spells them, short ones as words, tiny ones never."""
    secrets = ["planted-token", "planted-token-and-more", "demo", "abc", "new\nline-here"]
    assert without(text, secrets) == left


TOKEN = "gAAAAABm" + "tok" * 40 + "-the-end"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("{'X-Auth-Token': 'gAAAAABmtokto...he-end'}", "{'X-Auth-Token': '<hidden>...<hidden>'}"),
        ("{'a': 1, 'X-Auth-Token': 'gAAA...}", "{'a': 1, 'X-Auth-Token': '<hidden>...}"),
        ("{'a': ...-end'} gAAAAAB...", "{'a': ...<hidden>'} <hidden>..."),
        ("gAAAAABm and the-end ... token", "gAAAAABm and the-end ... token"),
        ("gAA...end", "gAA...end"),
        (f"{TOKEN}...{TOKEN}", "<hidden>...<hidden>"),
    ],
)
def test_the_ends_of_a_shortened_repr_are_taken_out(text, left):
    """Pytest shows the first and the last characters of what is long."""
    assert without(text, [TOKEN, "short"]) == left


@pytest.mark.parametrize(
    "write",
    [
        str,
        repr,
        json.dumps,
        lambda text: json.dumps(json.dumps(text)),
        lambda text: repr(json.dumps(text)),
        lambda text: quote(text, safe=""),
        quote_plus,
        lambda text: quote_plus(json.dumps(text)),
        html.escape,
        lambda text: text.encode().hex(),
        *(
            lambda text, before=before: base64.b64encode(before + text.encode()).decode()
            for before in (b"", b"x", b"xy")
        ),
    ],
)
def test_the_ends_of_one_that_is_written_in_another_way_are_taken_out(write):
    """Whatever is cut: the first characters and the last ones, as many as there are."""
    secret = 'Zq7"w\\4x\u00e9%K9mT r2&vLp8+nB3/cJ'
    written = write(secret)
    for at in range(12, len(written) - 12):
        assert written[8:at] not in without(f"'a {written[:at]}...'", [secret])
        assert written[at:-8] not in without(f"'...{written[at:]} b'", [secret])


def test_nothing_is_taken_out_where_nothing_is_known():
    """No expression of nothing, which would be found between all characters."""
    assert without("a text", ["", "abc"]) == "a text"


def test_traffic_that_is_not_redacted_shows_nothing():
    """Neither address nor headers nor bodies stand in an interaction's repr."""
    headers = Headers([("X-Auth-Token", "planted"), ("Location", "http://planted")])
    interaction = Interaction(
        url="http://planted/v2",
        request_headers=headers,
        request_body=b"planted",
        response=Response(status_code=200, headers=headers, body=b"planted"),
    )
    assert "planted" not in repr(interaction)
    assert (
        repr(headers) == "Headers([('X-Auth-Token', '<hidden>'), ('Location', 'http://planted')])"
    )
