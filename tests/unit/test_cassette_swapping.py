"""A file is replaced whole, under a lock."""

import os
import stat

import pytest

from pytest_imagedetail.cassette import swapping
from pytest_imagedetail.errors import RecordingError


def fine(_):
    """What was written reads well."""


def swapped(path, make, *, check=fine):
    """Replace a file under the lock of its folder."""
    path.parent.mkdir(exist_ok=True)
    return swapping.swapped(path, make, lock=path.parent / swapping.LOCK, check=check)


def names(folder):
    """What lies in a folder, its lock aside."""
    return sorted(path.name for path in folder.iterdir() if path.name != swapping.LOCK)


def test_a_new_file_and_its_folder(tmp_path):
    """What is made stands there, readable for everyone as any file, and nothing else does."""
    path = tmp_path / "new" / "a.yaml"
    assert swapped(path, lambda: ("text", "done"), check=fine) == "done"
    assert path.read_bytes() == b"text"
    assert names(path.parent) == ["a.yaml"]
    (tmp_path / "other").touch()
    other = (tmp_path / "other").stat().st_mode
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(other)


def test_what_stays_is_not_touched(tmp_path):
    """Neither its bytes nor its date, and nobody reads it back."""
    path = tmp_path / "a.yaml"
    path.write_text("old", encoding="utf-8")
    os.utime(path, (1, 1))

    def never(_):
        raise AssertionError("nothing was written")

    assert swapped(path, lambda: (None, "left"), check=never) == "left"
    assert (path.read_text(encoding="utf-8"), path.stat().st_mtime) == ("old", 1)
    assert names(tmp_path) == ["a.yaml"]


def test_a_link_stays_one(tmp_path):
    """What it leads to is replaced."""
    real, link = tmp_path / "real.yaml", tmp_path / "link.yaml"
    real.write_text("old", encoding="utf-8")
    link.symlink_to(real)
    swapped(link, lambda: ("new", None), check=fine)
    assert link.is_symlink()
    assert real.read_text(encoding="utf-8") == "new"


def test_what_reads_badly_replaces_nothing(tmp_path):
    """It is read where it was written, beside the file; then it goes."""
    path, seen = tmp_path / "a.yaml", []
    path.write_text("old", encoding="utf-8")

    def check(written):
        seen.append((written.parent, written.read_text(encoding="utf-8")))
        raise RecordingError("no good", where="here", remedy="none")

    with pytest.raises(RecordingError, match="no good"):
        swapped(path, lambda: ("new", None), check=check)
    assert seen == [(tmp_path, "new")]
    assert path.read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == ["a.yaml"]
