"""The committed recordings hold nothing that redaction or the gate would still take offence at."""

from pathlib import Path

import pytest

from pytest_imagedetail.cassette import loads
from pytest_imagedetail.model import Interaction
from pytest_imagedetail.redact import Secrets, redact

ROOT = Path(__file__).parents[2]
CLOUDS = sorted([*ROOT.glob("cassettes/*/"), *ROOT.glob("examples/*/cassettes/*/")])


def told(page: Interaction):
    """What a page says; vcrpy's own Content-Length, which redaction drops, is set by the writer."""
    fields = [each for each in page.response.headers.fields if each[0] != "Content-Length"]
    return page.url, page.request_headers.fields, page.request_body, fields, page.response.body


@pytest.mark.parametrize("folder", CLOUDS, ids=lambda folder: folder.name)
def test_redaction_leaves_what_is_redacted(folder):
    """No host, person, address or secret is found in a recording that was redacted before."""
    paths = sorted(folder.glob("*.yaml"))
    assert paths
    for path in paths:
        recording = loads(path)
        cloud = recording.provenance.cloud
        again = redact(recording.interactions, cloud=cloud, secrets=Secrets())
        before, after = (
            [told(page) for page in pages] for pages in (recording.interactions, again.interactions)
        )
        assert after == before, path
        assert not again.counts.keys() & {"addresses", "hosts", "people", "secrets"}, path
