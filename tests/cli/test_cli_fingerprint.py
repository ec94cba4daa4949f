"""`imagedetail fingerprint` and `imagedetail diff --level shape`, as a shell sees them."""

import json
from pathlib import Path

import pytest
from unit import PROJECT, image_of

from pytest_imagedetail.cli import main

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")


def body(tmp_path, *images):
    """A saved body with these images."""
    path = tmp_path / "saved.json"
    path.write_text(json.dumps({"images": images}), encoding="utf-8")
    return str(path)


def test_the_release_of_a_cloud_that_never_said(capsys):
    """Fujitsu K5, from one page of its documentation, which shows no whole id."""
    assert main(["fingerprint", "fujitsu-k5"]) == 1
    assert capsys.readouterr().out == (GOLDEN / "fingerprint.txt").read_text(encoding="utf-8")


def test_the_shape_of_a_vendor_cloud(capsys):
    """Against a real Nova of today, without running one; what breaks comes first."""
    assert main(["diff", "nova-2026.2", "fujitsu-k5", "--level", "shape"]) == 1
    assert capsys.readouterr().out == (GOLDEN / "shape.txt").read_text(encoding="utf-8")


def test_two_releases_of_nova_have_one_shape(capsys):
    """Seven years changed nothing that a client reads."""
    assert main(["diff", "nova-2019.1", "nova-2026.2", "--level", "shape", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["level"], document["same"], document["unseen"]) == ("shape", True, [])


def test_a_release_that_cannot_be_fails(tmp_path, capsys):
    """An imported answer of another release than it is said to be of."""
    path = body(tmp_path, image_of(1))
    assert main(["import", path, "--cloud", "a", "--release", "2012.1"]) == 0
    assert main(["fingerprint", "a"]) == 1
    assert (
        "the declared release 2012.1 does not fit: the link alternate has no project "
        "(kilo (2015.1) or later)" in capsys.readouterr().out
    )
    assert main(["fingerprint", "a", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["fits"] is False


def test_a_saved_body_is_dated_too(tmp_path, capsys):
    """By its path, as everywhere."""
    assert main(["fingerprint", body(tmp_path, image_of(1, project=PROJECT))]) == 0
    assert "answers like kilo (2015.1) or later" in capsys.readouterr().out


def test_a_value_can_be_any_text(tmp_path, capsys):
    """It neither fills the screen nor moves the cursor."""
    path = body(tmp_path, image_of(1, **{"OS-DCF:diskConfig": "\x1b[2J" + "x" * 100}))
    assert main(["fingerprint", path]) == 1
    (line,) = [each for each in capsys.readouterr().out.splitlines() if "diskConfig is " in each]
    assert "\x1b" not in line
    assert "x..." in line


def test_what_dates_nothing_is_an_error(tmp_path, capsys):
    """No clue is no fit."""
    assert main(["fingerprint", body(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(
        "imagedetail: nothing in these answers dates a release\n"
    )


def test_a_cloud_that_nobody_recorded(capsys):
    """The error says how to record it."""
    assert main(["fingerprint", "nowhere"]) == 2
    assert "imagedetail record --os-cloud=nowhere" in capsys.readouterr().err
