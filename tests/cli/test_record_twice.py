"""`imagedetail record --twice`: what two identical requests disagree on is named, not hidden."""

import itertools
import json

import pytest

pytest.importorskip("openstack", reason="credentials need the extra `record`")

from openstack.config import loader

from pytest_imagedetail.cassette import loads
from pytest_imagedetail.cli import main
from tests.cloud import SimulatedCloud


class Noisy:
    """Keystone and Nova as they are, but for one field that is another on each request."""

    def __init__(self, application, change):
        self.application, self.change, self.numbers = application, change, itertools.count(1)

    def __call__(self, environ, start_response):
        if "images/detail" not in environ["PATH_INFO"]:
            return self.application(environ, start_response)
        kept = {}
        body = b"".join(
            self.application(environ, lambda status, headers, *_: kept.update(at=(status, headers)))
        )
        document = json.loads(body)
        self.change(document, next(self.numbers))
        new = json.dumps(document).encode()
        status, headers = kept["at"]
        start_response(
            status,
            [(k, str(len(new)) if k.lower() == "content-length" else v) for k, v in headers],
        )
        return [new]


def unchanged(_document, _number):
    """The cloud as it is."""


@pytest.fixture
def record(tmp_path, monkeypatch, capsys):
    """Record `--twice` from a cloud that changes its answers; gives exit code and stdout."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(loader, "CONFIG_FILES", [str(tmp_path / "clouds.yaml")])
    monkeypatch.delenv("OS_CLIENT_CONFIG_FILE", raising=False)

    def run(change=unchanged):
        cloud = SimulatedCloud()
        cloud.application = Noisy(cloud.application, change)
        with cloud:
            (tmp_path / "clouds.yaml").write_text(cloud.clouds_yaml("staging"))
            code = main(["record", "--os-cloud", "staging", "--name", "public", "--twice"])
        return code, capsys.readouterr().out

    return run


def renamed(document, number):
    """Every image has another name in each answer; the first another size, too."""
    for image in document["images"]:
        image["metadata"]["seen"] = str(number)
    document["images"][0]["minRam"] = number


def test_noise_is_named_and_kept_as_a_proposal(record, tmp_path):
    """The paths, without the image; the recording is the first answer."""
    code, out = record(renamed)
    assert code == 0
    assert 'volatile  images[*].metadata.seen  value_changed  "1" -> "2"\n' in out
    assert "volatile  images[*].minRam  value_changed  1 -> 2\n" in out
    assert "two identical requests disagreed; nothing is accepted by that, a rule accepts\n" in out
    recording = loads(tmp_path / "cassettes/public/all.yaml")
    assert set(recording.provenance.volatile) == {"images[*].metadata.seen", "images[*].minRam"}


def test_a_quiet_cloud_is_called_so(record, tmp_path):
    """Nothing is proposed where nothing differed."""
    code, out = record()
    assert (code, out.splitlines()[1]) == (0, "asked twice, and answered the same")
    assert loads(tmp_path / "cassettes/public/all.yaml").provenance.volatile == ()


def test_a_report_says_that_a_difference_may_be_noise(record, tmp_path, capsys):
    """It stays a difference; only a rule accepts it."""
    record(renamed)
    body = json.loads(loads(tmp_path / "cassettes/public/all.yaml").interactions[0].response.body)
    body["images"][0]["minRam"] = 7
    (tmp_path / "other.json").write_text(json.dumps(body))
    assert main(["diff", "public", "other.json", "--fail-on", "change", "--profile", "wire"]) == 1
    assert (
        "volatile    images[*].minRam: two identical requests to public differed in it; "
        "to accept it, add a rule\n" in capsys.readouterr().out
    )


def test_a_second_answer_that_fails_keeps_nothing(record, tmp_path):
    """Half of a proof is none; no cassette is written."""

    def broken(document, number):
        if number > 1:
            document.clear()

    code, _ = record(broken)
    assert code == 2
    assert not (tmp_path / "cassettes").exists()
