"""Disks and folders that do not take a cassette: a RecordingError, and the older one stays."""

import os
import shutil
from functools import partial

import pytest

from process.recordings import images_in, load, recording, write
from pytest_imagedetail.cassette import Store, Written
from pytest_imagedetail.errors import DamagedCassetteError, RecordingError

NOBODY = 65534
UNTOUCHED = "  next:  check space and permissions; an older recording is untouched"

# Loaded first: what a child imports when it has become nobody may not be readable to it.
AS_NOBODY = f"""
import os, tempfile
tempfile.tempdir = str(store.directory.parent / "tmp")
if os.geteuid() == 0:
    os.setgroups([])
    os.setresgid({NOBODY}, {NOBODY}, {NOBODY})
    os.setresuid({NOBODY}, {NOBODY}, {NOBODY})
assert os.geteuid() != 0, "the fault is not provoked: root may do everything"
try:
"""
SAY = """
except ImageDetailError as error:
    print(type(error).__name__, error, sep="\\n")
"""


def said(process):
    """What a child printed, by lines."""
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out.splitlines()


def test_a_full_disk(kept, child):
    """What fitted is taken away again."""
    process = child(
        "import resource\n"
        "new = recording(5_000)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n    write(store, new)" + SAY
    )
    assert said(process) == [
        "RecordingError",
        "the cassette cannot be written: File too large",
        f"  where: {kept.path}",
        UNTOUCHED,
    ]
    assert kept.path.read_bytes() == kept.text
    assert kept.debris() == []


def test_a_folder_that_is_read_only(guarded, child):
    """For a user whom the rights bind, which root is not."""
    guarded.path.parent.chmod(0o555)
    process = child(AS_NOBODY + "    write(store, recording(2))" + SAY, guarded)
    assert said(process) == [
        "RecordingError",
        "the cassette cannot be written: Permission denied",
        f"  where: {guarded.path}",
        UNTOUCHED,
    ]
    assert guarded.path.read_bytes() == guarded.text
    assert guarded.debris() == []


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_may_not_be_read_is_not_missing(guarded, child, what):
    """Missing would be recorded anew in mode once, over what nobody looked at."""
    place = guarded.path if what == "file" else guarded.path.parent
    place.chmod(0)
    kind, problem, where, *remedies = said(
        child(AS_NOBODY + "    load(store, recording())" + SAY, guarded)
    )
    assert kind == "DamagedCassetteError"
    assert problem.endswith("Permission denied")
    assert where == f"  where: {guarded.path}"
    assert remedies


def test_clouds_of_a_folder_that_may_not_be_read_are_not_missing(guarded, child):
    """A test for every cloud would run for fewer clouds, and be green."""
    (guarded.store.directory / "k5").chmod(0)
    lines = said(child(AS_NOBODY + "    print(store.clouds())" + SAY, guarded))
    assert lines[:2] == ["DamagedCassetteError", "cassettes cannot be looked up: Permission denied"]


def test_a_file_where_the_folder_belongs(kept):
    """Neither is it missing, nor is the file removed to make room."""
    shutil.rmtree(kept.store.directory / "k5")
    (kept.store.directory / "k5").write_text("in the way")
    with pytest.raises(RecordingError, match="the cassette cannot be written: "):
        write(kept.store, recording(2))
    with pytest.raises(DamagedCassetteError, match="cassettes cannot be looked up: Not a dir"):
        load(kept.store, kept.recording)
    assert (kept.store.directory / "k5").read_text() == "in the way"


@pytest.mark.parametrize("what", ["directory", "fifo", "device"])
def test_no_file_in_a_cassettes_place_is_never_replaced(kept, what):
    """Renaming over it would take a pipe away from who reads it; a device is not ours either."""
    kept.path.unlink()
    make = {"directory": os.mkdir, "fifo": os.mkfifo, "device": partial(os.symlink, "/dev/null")}
    make[what](kept.path)
    with pytest.raises(RecordingError) as caught:
        write(kept.store, recording(2))
    assert caught.value.problem == (
        "the cassette cannot be written: something that is not a file is in its place"
    )
    assert kept.path.is_symlink() if what == "device" else not kept.path.is_file()
    assert kept.debris() == []


def test_a_folder_that_is_a_link(kept, tmp_path):
    """Recordings go where it leads, and both ways to them take one lock."""
    link = tmp_path / "link"
    link.symlink_to(kept.store.directory, target_is_directory=True)
    assert write(Store(directory=link), recording(2)) is Written.REPLACED
    assert link.is_symlink()
    assert images_in(load(kept.store, kept.recording)) == 2


def test_a_cassette_that_is_a_link(kept, tmp_path):
    """It stays a link: what it leads to is replaced, and that whole."""
    target = tmp_path / "shared.yaml"
    kept.path.rename(target)
    kept.path.symlink_to(target)
    assert write(kept.store, recording(2)) is Written.REPLACED
    assert kept.path.is_symlink()
    assert images_in(load(kept.store, kept.recording)) == 2
    assert kept.debris() == []
    assert [path for path in tmp_path.iterdir() if path.suffix == ".tmp"] == []


def test_a_link_to_what_is_gone_is_not_missing(kept):
    """A cassette that lies in a folder that is not mounted must not be recorded anew."""
    kept.path.unlink()
    kept.path.symlink_to("/nowhere/at/all.yaml")
    with pytest.raises(DamagedCassetteError) as caught:
        load(kept.store, kept.recording)
    assert caught.value.problem == "the file cannot be read: No such file or directory"
