"""A folder of cassettes. tests/process shows what happens when a write is interrupted."""

import pytest

from pytest_imagedetail.cassette import Store
from pytest_imagedetail.errors import DamagedCassetteError, LeakError, UsageError
from pytest_imagedetail.model import Query
from pytest_imagedetail.redact import Known
from unit import image_of, recording_of


def recording(images=1, *, body=None, **facts):
    document = {"images": [image_of(number) for number in range(images)]}
    return recording_of(body or document, **{"cloud": "k5", "plugin": "1.0"} | facts)


def test_what_lies_under_another_name_is_not_written_over(tmp_path):
    """It may be the only copy of another cloud's recording."""
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
    """However YAML writes it, and when merging. The message does not show it."""
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


def test_a_cloud_is_no_way_out_of_the_folder(tmp_path):
    kept = Store(directory=tmp_path / "in")
    kept.write(recording(), known=Known())
    Store(directory=tmp_path).write(recording(), known=Known())
    for cloud in ("..", "../k5", "/etc"):
        with pytest.raises(UsageError):
            kept.write(recording(cloud=cloud), known=Known())
        with pytest.raises(UsageError):
            kept.load(cloud, Query())
