"""Recordings follow the tests that are renamed."""

from itertools import product

import pytest
from unit import recording_of

from pytest_imagedetail.cassette import Store, load_once
from pytest_imagedetail.redact import Known

TESTS = ("t/test_a.py::test_x", "t/test_a.py::test_x[1]", "t/test_ab.py::test_x")


@pytest.fixture
def store(tmp_path):
    """The recordings of three tests with two clouds; the last two tests share a folder."""
    store = Store(directory=tmp_path / "cassettes")
    for cloud, test in product(("one", "two"), TESTS):
        recording = recording_of({}, cloud=cloud, test=test, plugin="1")
        store.write(recording, known=Known(), shared=None if test == TESTS[0] else "both")
    return store


def found(store):
    paths = [each for cloud in ("one", "two") for each in store.traffic_paths(cloud)]
    return sorted({load_once(each).provenance.test for each in paths})


def test_recordings_are_moved(imagedetail, store):
    """Those of a test, a module or a folder; a common prefix is not enough."""
    for old, new, expected in (
        ("t/test_a.py::test_x", "t/test_a.py::test_y", ("test_a.py::test_y", "test_ab.py::test_x")),
        ("t/test_a.py", "t/b/test_c.py", ("b/test_c.py::test_y", "test_ab.py::test_x")),
        ("./t/b/", "./t", ("test_ab.py::test_x", "test_c.py::test_y")),
    ):
        done = imagedetail("mv", old, new)
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith("4 cassettes moved\n")
        names = {each.removesuffix("[1]") for each in found(store)}
        assert names == {f"t/{each}" for each in expected}
    assert not (store.directory / "one/tests/t/b").exists()
    assert store.load_traffic("two", "t/test_c.py::test_y")
    assert store.load_traffic("two", "t/test_c.py::test_y[1]", shared="both")


def test_what_cannot_be_moved(imagedetail, store):
    for old, new, problem in (
        (TESTS[2], TESTS[1], "t/test_a.py::test_x[1] has a recording already"),
        ("t/test_b.py", "t/test_c.py", "there is no recording of t/test_b.py"),
        ("staging", "stage", "a cloud cannot be renamed: record it under its new name"),
        ("t/test_a.py::test", "t/test_a.py::best", "did you mean t/test_a.py::test_x"),
    ):
        done = imagedetail("mv", old, new)
        assert (done.returncode, problem in done.stderr) == (4, True), done
        assert found(store) == sorted(TESTS)
    moved = store.traffic_path("one", TESTS[0])
    moved.rename(moved.with_name("test_y.yaml"))
    assert "then: imagedetail mv OLD NEW" in imagedetail("mv", "t", "u").stderr
