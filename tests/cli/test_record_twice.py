"""`imagedetail record --twice`: what two identical requests disagree on is named, not hidden."""

import json

import pytest

pytest.importorskip("openstack", reason="credentials need the extra `record`")

from pytest_imagedetail.cassette import load
from tests.cloud.scripted import ScriptedCloud, change, say


@pytest.fixture
def record(imagedetail, tmp_path):
    """Record `--twice` from a cloud that answers by a script."""

    def run(*acts):
        with ScriptedCloud() as cloud:
            cloud.plan(*acts)
            (tmp_path / "clouds.yaml").write_text(cloud.clouds_yaml("staging"))
            return imagedetail("record", "--os-cloud=staging", "--name=public", "--twice")

    return run


def seen(number):
    """Every image has another field in each answer; the first another size, too."""

    def edit(document):
        for image in document["images"]:
            image["metadata"]["seen"] = str(number)
        document["images"][0]["minRam"] = number

    return change(edit)


def test_noise_is_named_and_kept_as_a_proposal(imagedetail, record, tmp_path):
    """The paths, without the image; it stays a difference, which a report explains."""
    done = record(seen(1), seen(2))
    assert done.returncode == 0
    for line in (
        'volatile  images[*].metadata.seen  value_changed  "1" -> "2"\n',
        "volatile  images[*].minRam  value_changed  1 -> 2\n",
        "two identical requests disagreed; nothing is accepted by that, a rule accepts\n",
    ):
        assert line in done.stdout
    recording = load(tmp_path / "cassettes/public/all.yaml")
    assert set(recording.provenance.volatile) == {"images[*].metadata.seen", "images[*].minRam"}
    body = json.loads(recording.interactions[0].response.body)
    body["images"][0]["minRam"] = 7
    (tmp_path / "other.json").write_text(json.dumps(body))
    done = imagedetail("diff", "public", "other.json", "--fail-on=change", "--profile=wire")
    assert done.returncode == 1
    assert (
        "volatile    images[*].minRam: two identical requests to public differed in it; "
        "to accept it, add a rule\n" in done.stdout
    )


def test_two_answers_that_are_the_same_or_none(record, tmp_path):
    """A second answer that fails keeps nothing; nothing is proposed where nothing differed."""
    assert record(None, say(500)).returncode == 2
    assert not (tmp_path / "cassettes").exists()
    done = record()
    assert (done.returncode, done.stdout.splitlines()[1]) == (
        0,
        "asked twice, and answered the same",
    )
    assert load(tmp_path / "cassettes/public/all.yaml").provenance.volatile == ()
