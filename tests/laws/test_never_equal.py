"""A response without information is never "the same": the exit code is 2, and a test fails."""

from itertools import product
from pathlib import Path

import pytest

from pytest_imagedetail.cli import main
from pytest_imagedetail.settings import LEVELS

LIBRARY = Path(__file__).parents[2] / "cassettes"
WHOLE = str(LIBRARY / "nova-2026.2" / "all.yaml")
PART = str(LIBRARY / "nova-2026.2" / "limit=3.yaml")


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def diff(capsys, *arguments):
    code = main(["diff", *arguments])
    return (code, *capsys.readouterr())


def test_a_part_is_not_the_whole(capsys):
    """Nobody knows whether the other images are the same, because they were not requested."""
    for names, level in product(((PART, WHOLE), (WHOLE, PART)), LEVELS):
        code, out, err = diff(capsys, *names, "--level", level)
        assert (code, out) == (2, "")
        assert "has only a part of its images" in err


def test_two_bodies_that_cannot_be_read_are_not_the_same(capsys, tmp_path):
    """Equal bytes that are not a listing are an error."""
    for body in (
        *(b"", b"{", b"<html>nginx</html>", b"null", b"{}", b"[]", b"\xff\xfe"),
        *(b'{"images": null}', b'{"images": [{}]}', b'{"image": {}}'),
        b'{"error": {"code": 401, "message": "no"}}',
    ):
        for name in ("a.json", "b.json"):
            (tmp_path / name).write_bytes(body)
        code, out, err = diff(capsys, "a.json", "b.json")
        assert (code, out) == (2, ""), body
        assert err.startswith("imagedetail: ")
        assert "  next:  " in err


def test_two_refusals_are_not_the_same_in_a_test(pytester):
    """Comparing them fails, and so does listing."""
    pytester.makepyfile(
        """
        CLOUDS = "nova-2019.1", "nova-2026.2"

        def test_compared(imagedetail):
            assert imagedetail.compare(*CLOUDS, microversion="2.36").compatible

        def test_equal(imagedetail):
            one, other = (imagedetail[name].list(microversion="2.36") for name in CLOUDS)
            assert one == other
        """
    )
    result = pytester.runpytest("-p", "no:cacheprovider")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*ResponseError*404*"])
