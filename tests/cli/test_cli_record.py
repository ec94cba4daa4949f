"""`imagedetail record` and `import`: warnings and volatile values."""

import json

import pytest

pytest.importorskip("openstack", reason="credentials need the extra `record`")

from pytest_imagedetail.cassette import load
from tests.cloud.scripted import ScriptedCloud, change, say

WEAK = (
    "imagedetail: warning: too weak to search for (short, digits only, or a plain word), and so "
    "replaced only under a secret's name: 1 secret of this session\n"
)


@pytest.fixture
def record(imagedetail, tmp_path):
    """Record a scripted cloud from an account with this password."""

    def run(*options, acts=(), password="s3cret-of-this-account"):
        with ScriptedCloud() as cloud:
            object.__setattr__(cloud.account, "password", password)
            cloud.plan(*acts)
            (tmp_path / "clouds.yaml").write_text(cloud.clouds_yaml("staging"))
            return imagedetail("record", "--os-cloud=staging", *options)

    return run


def seen(number):
    def edit(document):
        for image in document["images"]:
            image["metadata"]["seen"] = str(number)
        document["images"][0]["minRam"] = number

    return change(edit)


def test_what_two_identical_requests_disagree_on_is_named(imagedetail, record, tmp_path):
    """By paths without the image; it stays a difference, which reports explain."""
    path = tmp_path / "cassettes/staging/all.yaml"
    assert record("--twice", acts=[None, say(500)]).returncode == 2
    assert not path.exists()  # both answers are needed
    assert record("--twice").stdout.splitlines()[1] == "asked twice, and answered the same"
    assert load(path).provenance.volatile == ()
    done = record("--twice", "--rewrite", acts=[seen(1), seen(2)])
    assert done.returncode == 0
    for line in (
        'volatile  images[*].metadata.seen  value_changed  "1" -> "2"\n',
        "volatile  images[*].minRam  value_changed  1 -> 2\n",
        "two identical requests differed; to accept that, add a rule\n",
    ):
        assert line in done.stdout
    recording = load(path)
    assert set(recording.provenance.volatile) == {"images[*].metadata.seen", "images[*].minRam"}
    assert record(acts=[seen(1)]).stdout.startswith("unchanged")  # and the paths are kept
    assert load(path).provenance == recording.provenance
    body = json.loads(recording.interactions[0].response.body)
    body["images"][0]["minRam"] = 7
    (tmp_path / "other.json").write_text(json.dumps(body))
    done = imagedetail("diff", "staging", "other.json", "--fail-on=change", "--profile=wire")
    assert done.returncode == 1
    assert (
        "volatile    images[*].minRam: two identical requests to staging differed in it; "
        "to accept it, add a rule\n" in done.stdout
    )
    path.unlink()
    record()
    assert record("--twice", acts=[None, seen(1)]).stdout.startswith("replaced")
    assert load(path).provenance.volatile != ()


def test_what_redaction_cannot_search_for_is_counted(record):
    """Weak secrets are counted; a redacted query is recorded with a warning."""
    for password in ("image", "12345678", "k9-x"):
        result = record("--rewrite", password=password)
        assert (result.returncode, result.stderr) == (0, WEAK), password
    assert record().stderr == ""
    result = record("--query=name=s3cret-of-this-account")
    assert result.returncode == 0
    assert "warning: the query was redacted, so `imagedetail verify` cannot ask" in result.stderr
    assert "s3cret" not in result.stderr + result.stdout


def test_texts_that_look_sensitive_are_named(imagedetail, tmp_path):
    """The first three; they are kept."""
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
