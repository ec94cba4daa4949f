"""Disks and folders that do not take a cassette: a RecordingError, and the older one stays."""

from process import images_in, load, recording, write
from pytest_imagedetail.cassette import Written

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


def test_what_may_not_be_read_is_not_missing(guarded, child):
    """Missing would be recorded anew, over what nobody looked at, or tested for fewer clouds."""
    for place in (guarded.path, guarded.path.parent):
        place.chmod(0)
        kind, problem, where, *remedies = said(child(AS_NOBODY + "    load(store)" + SAY, guarded))
        assert (kind, where) == ("DamagedCassetteError", f"  where: {guarded.path}")
        assert problem.endswith("Permission denied")
        assert remedies
    lines = said(child(AS_NOBODY + "    print(store.clouds())" + SAY, guarded))
    assert lines[:2] == ["DamagedCassetteError", "cassettes cannot be listed: Permission denied"]


def test_a_cassette_that_is_a_link(kept, tmp_path):
    """It stays a link: what it leads to is replaced, and that whole."""
    target = tmp_path / "shared.yaml"
    kept.path.rename(target)
    kept.path.symlink_to(target)
    assert write(kept.store, recording(2)) is Written.REPLACED
    assert kept.path.is_symlink()
    assert images_in(load(kept.store)) == 2
    assert kept.debris() == []
    assert [path for path in tmp_path.iterdir() if path.suffix == ".tmp"] == []
