"""`imagedetail fingerprint` and `imagedetail diff --level shape`, as a shell sees them."""

import json
from pathlib import Path

import pytest
from unit import image_of, snapshot_of

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


def test_a_declared_release_that_cannot_be_true(tmp_path, capsys):
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


def test_a_saved_body(tmp_path, capsys):
    """By its path, as everywhere; a value neither fills the screen nor moves the cursor."""
    for image, code, said in (
        (image_of(1), 0, "saved answers like kilo (2015.1) or later\n"),
        (snapshot_of(1, server="i-0abc"), 0, "saved answers like kilo (2015.1) or later\n"),
        (
            image_of(1, **{"OS-DCF:diskConfig": "\x1b" + "x" * 100}),
            1,
            "x...  1 image  views/images",
        ),
    ):
        assert main(["fingerprint", body(tmp_path, image)]) == code
        out = capsys.readouterr().out
        assert said in out
        assert ("no release" in out) is bool(code)
        assert "\x1b" not in out


def test_what_cannot_be_said_is_an_error(tmp_path, capsys):
    """A listing that shows nothing, and a cloud without recordings."""
    assert main(["fingerprint", body(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("imagedetail: nothing in these answers dates a release\n")
    assert main(["fingerprint", "nowhere"]) == 4
    assert "imagedetail record nowhere" in capsys.readouterr().err
