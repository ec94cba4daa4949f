"""A folder of cassettes: nothing is lost, whatever ends a write."""

import pytest

from pytest_imagedetail.cassette import Store, Written
from pytest_imagedetail.errors import (
    CassetteNotFoundError,
    DamagedCassetteError,
    LeakError,
    UsageError,
)
from pytest_imagedetail.model import Query
from pytest_imagedetail.redact import Known
from unit import image_of, recording_of


def recording(images=1, *, body=None, **facts):
    """A listing of so many images, or of this body."""
    document = {"images": [image_of(number) for number in range(images)]}
    return recording_of(body or document, **{"cloud": "k5", "plugin": "1.0"} | facts)


def test_the_same_answer_leaves_another_layout_alone(tmp_path):
    """A checkout with other line ends, or a formatter, has not changed what was recorded."""
    kept = Store(directory=tmp_path)
    kept.write(recording(), known=Known())
    path = kept.path("k5", Query())
    other = b"# formatted\n" + path.read_bytes().replace(b"\n", b"\r\n")
    path.write_bytes(other)
    assert kept.write(recording(), known=Known()) is Written.UNCHANGED
    assert path.read_bytes() == other
    assert kept.write(recording(2), known=Known()) is Written.REPLACED


def test_the_same_answer_renews_an_old_date(tmp_path):
    """And nothing else; without a limit, or within it, nothing is written."""
    march, april = (recording(recorded_at=f"2026-0{month}-01T00:00:00Z") for month in (3, 4))
    Store(directory=tmp_path).write(march, known=Known())
    for max_age, done, kept in (
        (None, Written.UNCHANGED, march),
        (31, Written.UNCHANGED, march),
        (30, Written.RENEWED, april),
    ):
        store = Store(directory=tmp_path, max_age=max_age)
        assert store.write(april, known=Known()) is done
        assert store.load("k5", Query()).provenance == kept.provenance


def test_what_is_not_recorded(tmp_path):
    """The error says how to record it, and which recordings come nearest."""
    kept, library = Store(directory=tmp_path / "own"), tmp_path / "library"
    for query in ("limit=1", "limit=2"):
        kept.write(recording(query=query), known=Known())
    with pytest.raises(CassetteNotFoundError) as caught:
        kept.load("k5", Query.parse("limit=3"))
    assert str(caught.value) == (
        "nothing is recorded for cloud 'k5', query 'limit=3'\n"
        f"  where: {tmp_path}/own/k5/limit=3.yaml\n"
        "  next:  in a test:  pytest --imagedetail-record-mode=once\n"
        "  next:  in a shell: imagedetail record k5 --query=limit=3\n"
        "  next:  or ask a recorded query: --query=limit=2, --query=limit=1; "
        "imagedetail ls k5 lists all"
    )
    Store(directory=library).write(recording(cloud="shipped"), known=Known())
    with pytest.raises(CassetteNotFoundError, match="shipped recordings cannot be added to"):
        Store(directory=tmp_path / "own", library=library).load("shipped", Query.parse("limit=3"))


def test_what_lies_under_another_name_is_not_written_over(tmp_path):
    """It is what was recorded of another cloud, and perhaps the only copy of that."""
    kept = Store(directory=tmp_path)
    kept.write(recording(cloud="other"), known=Known())
    (tmp_path / "other").rename(tmp_path / "k5")
    before = kept.path("k5", Query()).read_bytes()
    with pytest.raises(DamagedCassetteError, match="cloud 'other', query 'all', but its file has"):
        kept.write(recording(2), known=Known())
    assert kept.path("k5", Query()).read_bytes() == before
    kept.write(recording(test="t.py::a"), known=Known())
    kept.traffic_path("k5", "t.py::a").rename(kept.traffic_path("k5", "t.py::b"))
    with pytest.raises(DamagedCassetteError, match=r"cloud 'k5', test t\.py::a, but its file has"):
        kept.load_traffic("k5", "t.py::b")


def test_a_leak_is_refused_and_the_old_file_untouched(tmp_path):
    """Also in what is added to and in what YAML folds and escapes; the message does not show it."""
    kept, known = Store(directory=tmp_path), Known(secrets=frozenset({"hunter2's pass"}))
    kept.write(recording(), known=Known())
    before = kept.path("k5", Query()).read_bytes()
    for body in (
        b"\xff" * 50 + b"hunter2's pass" + b"\xff" * 50,
        b"it's\r\nhunter2's pass\xc2\x85",
        b"\x07\"hunter2's pass\\",
        b"# hunter2's pass",  # in YAML the apostrophe is doubled
        b'{"images": [], "a": "hunter2\'s pass"}',
    ):
        with pytest.raises(LeakError) as caught:
            kept.write(recording(body=body), known=known)
        assert kept.path("k5", Query()).read_bytes() == before
    assert caught.value.problem.startswith(
        "refused to write: a secret or an id of this session was left"
    )
    assert "hunter2" not in str(caught.value)
    kept.write(recording(body=body), known=Known())
    with pytest.raises(LeakError):
        kept.write(recording(), known=known, merge=lambda old: old)


def test_clouds_have_cassettes(tmp_path):
    """Of queries or of tests; an empty folder is none."""
    kept = Store(directory=tmp_path)
    kept.write(recording(), known=Known())
    kept.write(recording(cloud="x", test="t.py::a"), known=Known())
    (tmp_path / "empty").mkdir()
    assert (kept.clouds(), kept.traffic_clouds()) == (("k5",), ("x",))


def test_a_cloud_is_no_way_out_of_the_folder(tmp_path):
    """Neither for writing nor for reading."""
    kept = Store(directory=tmp_path / "in")
    kept.write(recording(), known=Known())
    Store(directory=tmp_path).write(recording(), known=Known())
    for cloud in ("..", "../k5", "/etc"):
        with pytest.raises(UsageError):
            kept.write(recording(cloud=cloud), known=Known())
        with pytest.raises(UsageError):
            kept.load(cloud, Query())
