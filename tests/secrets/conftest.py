"""A search for secrets in what a run shows."""

import html
import json
import re
from urllib.parse import quote

import pytest


@pytest.fixture
def shown(pytester):
    """Search the output, the reports and the recordings of a run for a part of a secret.

    A part is 12 characters in any of four spellings, or one of the values `whole`.
    """

    def search(result, secrets, *whole):
        patterns = ("cassettes/**/*.yaml", "all.log", "junit.xml", "r.*")
        files = [path for each in patterns for path in pytester.path.glob(each)]
        texts = {path.name: path.read_text() for path in files}
        texts["output"] = result.stdout.str() + result.stderr.str()
        searched = {*whole}.union(*map(parts, secrets))
        plain = {name: re.sub(r"\x1b\[[\d;]*m", "", html.unescape(texts[name])) for name in texts}
        return {(name, each) for name in plain for each in searched if each in plain[name]}

    return search


def parts(secret):
    """Yield every 12 characters of a secret, in four spellings."""
    for form in (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], quote(secret, safe="")):
        for at in range(len(form) - 11):
            yield form[at : at + 12]
