"""A folder of cassettes: nothing is lost, whatever ends a write."""

import pytest

from pytest_imagedetail.cassette import Store, Written
from pytest_imagedetail.errors import (
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


def test_what_lies_under_another_name_is_not_written_over(tmp_path):
    """It is what was recorded of another cloud, and perhaps the only copy of that."""
    kept = Store(directory=tmp_path)
    kept.write(recording(cloud="other"), known=Known())
    (tmp_path / "other").rename(tmp_path / "k5")
    before = kept.path("k5", Query()).read_bytes()
    with pytest.raises(DamagedCassetteError, match="cloud 'other', query 'all', but its file has"):
        kept.write(recording(2), known=Known())
    assert kept.path("k5", Query()).read_bytes() == before


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
    assert caught.value.problem.startswith("refused to write: a secret or an id of this session")
    assert "hunter2" not in str(caught.value)
    kept.write(recording(body=body), known=Known())
    with pytest.raises(LeakError):
        kept.write(recording(), known=known, merge=lambda old: old)


def test_a_cloud_is_no_way_out_of_the_folder(tmp_path):
    """Neither for writing nor for reading."""
    kept = Store(directory=tmp_path)
    for cloud in ("..", "../k5", "/etc"):
        with pytest.raises(UsageError):
            kept.write(recording(cloud=cloud), known=Known())
        with pytest.raises(UsageError):
            kept.load(cloud, Query())
