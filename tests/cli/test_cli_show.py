"""`imagedetail clouds` and `ls` see the traffic of tests beside the answers to queries."""

import json
import shutil

import pytest

from pytest_imagedetail.cassette import Store
from pytest_imagedetail.cli import main
from pytest_imagedetail.model import Interaction, Provenance, Recording, Response
from pytest_imagedetail.redact import Known

TEST = "test_own.py::test_images"


@pytest.fixture
def look(tmp_path, monkeypatch, recorded, capsys):
    """Call a verb in a project of three clouds: one has traffic, too, and one nothing else."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(recorded, tmp_path / "cassettes")
    answer = Response(status_code=200, body=b"{}")
    for cloud in ("nova-essex", "staging"):
        page = Interaction(url=f"https://compute.{cloud}.invalid/v2/images", response=answer)
        provenance = Provenance(
            cloud=cloud, test=TEST, recorded_at="2026-01-02T03:04:05Z", pages=2, plugin="1"
        )
        recording = Recording(provenance=provenance, interactions=(page, page))
        Store(directory=tmp_path / "cassettes").write(recording, known=Known())

    def look(*arguments):
        code = main(list(arguments))
        return code, capsys.readouterr()

    return look


def test_clouds_counts_the_traffic_of_tests(look):
    """A cloud that has nothing else is listed, too."""
    code, output = look("clouds", "--json")
    assert code == 0
    counted = {
        each["cloud"]: (each["cassettes"], each["tests"])
        for each in json.loads(output.out)
        if each["source"] == "cassettes"
    }
    assert counted == {"nova-essex": (2, 1), "staging": (0, 1)}
    mixed = [each for each in json.loads(output.out) if each["cloud"] == "nova-2026.2"]
    assert [each["source"] for each in mixed] == ["cassettes and library"]


def test_ls_lists_the_traffic_of_tests(look, tmp_path):
    """By its test, after the listings of each cloud; damaged traffic is an error, too."""
    code, output = look("ls")
    assert code == 0
    *_, essex, staging = output.out.splitlines()
    for line, cloud in ((essex, "nova-essex"), (staging, "staging")):
        assert line.split()[:4] == [cloud, TEST, "-", "2"]
        assert line.endswith(f"cassettes/{cloud}/tests/test_own/test_images.yaml")
    assert len(output.out.splitlines()) == 6
    path = tmp_path / "cassettes/staging/tests/test_own/test_images.yaml"
    path.write_text(path.read_text().replace("pages: 2", "pages: 3"))
    code, output = look("ls")
    assert code == 2
    assert len(output.out.splitlines()) == 5
    assert "cassettes/staging/tests/test_own/test_images.yaml" in output.err
