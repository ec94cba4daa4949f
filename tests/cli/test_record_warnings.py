"""`record` and `import` warn on stderr about what redaction left as it is."""

import json

import pytest

pytest.importorskip("openstack", reason="credentials need the extra `record`")

from tests.cloud import SimulatedCloud

WEAK = (
    "imagedetail: warning: too weak to search for (short, digits only, or a plain word), and so "
    "replaced only under a secret's name: 1 secret of this session\n"
)


@pytest.fixture
def record(imagedetail, tmp_path):
    """Record a cloud from an account with this password."""

    def run(password, *query):
        with SimulatedCloud() as cloud:
            object.__setattr__(cloud.account, "password", password)
            (tmp_path / "clouds.yaml").write_text(cloud.clouds_yaml("staging"))
            return imagedetail("record", "--os-cloud", "staging", *query)

    return run


def test_a_weak_secret_is_counted(record):
    """Its value is not shown, and the recording is kept; a strong one is not mentioned."""
    for password in ("image", "12345678", "k9-x"):
        result = record(password, "--rewrite")
        assert (result.returncode, result.stderr) == (0, WEAK), password
    assert record("s3cret-of-this-account").stderr == ""


def test_a_query_that_was_redacted_is_named(record):
    """It is recorded, and `verify` cannot ask it again."""
    result = record("s3cret-of-this-account", "--query=name=s3cret-of-this-account")
    assert result.returncode == 0
    assert "warning: the query was redacted, so `imagedetail verify` cannot ask" in result.stderr
    assert "s3cret" not in result.stderr + result.stdout


def test_texts_that_look_sensitive_are_named(imagedetail, tmp_path):
    """The first three in the order of the body; each is kept as it is."""
    notes = ["see 10.1.2.3", "plain", "db.corp.local", "me@corp.test", "fd00::17", "10.9.9.9"]
    images = [{"id": str(n), "metadata": {"note": note}} for n, note in enumerate(notes)]
    (tmp_path / "a.json").write_text(json.dumps({"images": images}))
    result = imagedetail("import", "a.json", "--cloud", "a")
    assert result.returncode == 0
    assert result.stderr == (
        "imagedetail: warning: looks like a private IP address, kept: images[0].metadata.note\n"
        "imagedetail: warning: looks like an internal host name, kept: images[2].metadata.note\n"
        "imagedetail: warning: looks like an e-mail address, kept: images[3].metadata.note\n"
        "imagedetail: warning: 2 more of such texts; imagedetail lint lists them\n"
    )
    text = (tmp_path / "cassettes/a/all.yaml").read_text()
    assert all(note in text for note in notes)
