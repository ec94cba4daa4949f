"""Mask known secrets in texts."""

import json
import random
import string
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from pytest_imagedetail.plugin.masking import mask, windows_of

TOKEN = "gAAAAABm" + "".join(random.Random(1).choices(string.ascii_letters, k=80)) + "=="


def masked(text, *secrets):
    return mask(text, windows_of(secrets))


def test_runs_of_twelve_characters_are_masked_and_shorter_ones_are_not():
    """Inside a word, beside another secret, and where pytest cut a long repr."""
    other = TOKEN[::-1]
    for text, shown in (
        (f"a {TOKEN} here", "a <hidden> here"),
        (f"{TOKEN}{other}", "<hidden>"),
        (f"'{TOKEN[:40]}...{TOKEN[-20:]}'", "'<hidden>...<hidden>'"),
        (f"- {TOKEN[:11]}", f"- {TOKEN[:11]}"),
        (f"- {TOKEN[30:42]}", "- <hidden>"),
    ):
        assert masked(text, TOKEN, other) == shown
    for size in range(12, len(TOKEN)):
        assert masked(f"a {TOKEN[:size]}... {TOKEN[-size:]}", TOKEN) == "a <hidden>... <hidden>"


@given(
    *(st.text(st.characters(codec="utf-8", exclude_characters="\x1b<")) for _ in range(2)),
    st.text(st.characters(codec="utf-8", exclude_characters="\x1b<"), min_size=16),
)
def test_no_run_is_left_and_nothing_else_changes(before, after, secret):
    """Whatever surrounds a secret."""
    windows = windows_of([secret])
    text = f"{before}{secret}{after}"
    shown = mask(text, windows)
    assert not any(each in shown for each in windows)
    beside = shown.split("<hidden>")
    assert text.startswith(beside[0])
    assert text.endswith(beside[-1])
    assert (shown == text) == (not windows)


def test_each_spelling_is_masked():
    """In a repr, in JSON, percent-encoded, and with colors in it. Other text keeps its colors."""
    secret = "Zq7\"w\\4x\u00e9%K9mT r2&vL/8+nB3\n'cJ"
    for spelled in (
        *(secret, repr(secret), json.dumps(secret), quote(secret), quote(secret, safe="")),
        str([{"a": secret}]),
    ):
        left = masked(spelled, secret)
        assert not left.replace("<hidden>", "").strip("\"'[]{a}: "), left
    assert masked(f"\x1b[31mE\x1b[0m {TOKEN[:8]}\x1b[33m{TOKEN[8:]}", TOKEN) == "E <hidden>"
    assert masked("\x1b[31mE\x1b[0m clean", TOKEN) == "\x1b[31mE\x1b[0m clean"


def test_weak_secrets_stay():
    """Ordinary text may hold them. Other secrets are masked whole, however short."""
    for secret in ("correct-horse", "Pa55-wrd", "longenoughtobetold"):
        assert masked(f"<{secret}>", secret) == "<<hidden>>"
    for secret in ("Pa55-wr", "openstack", "413274413274413274", ""):
        assert masked(f"<{secret}>", secret) == f"<{secret}>"
