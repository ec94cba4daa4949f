"""Places that do not take or give a cassette: an error, and an older recording stays."""

import pytest

from process import images_in, load, recording, write
from pytest_imagedetail.cassette import Written
from pytest_imagedetail.errors import DamagedCassetteError, RecordingError

UNTOUCHED = "  next:  check space and permissions; an older recording is untouched"
FULL_DISK = """
import resource
new = recording(5_000)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write(store, new)
except ImageDetailError as error:
    print(type(error).__name__, error, sep="\\n")
"""


def test_a_full_disk(kept, child):
    """The temporary file is removed."""
    out, err = child(FULL_DISK).communicate(timeout=60)
    assert out.splitlines() == [
        "RecordingError",
        "the cassette cannot be written: File too large",
        f"  where: {kept.path}",
        UNTOUCHED,
    ], err
    assert kept.path.read_bytes() == kept.text
    assert kept.debris() == []


def test_a_path_that_cannot_be_read_or_written(kept):
    """It is never taken for a missing recording, which would be recorded anew."""
    kept.path.unlink()
    kept.path.mkdir()
    with pytest.raises(DamagedCassetteError, match="Is a directory") as caught:
        load(kept.store)
    assert caught.value.where == str(kept.path)
    assert caught.value.remedy
    kept.path.rmdir()
    kept.path.parent.rmdir()
    kept.path.parent.touch()
    with pytest.raises(DamagedCassetteError, match="listed: Not a directory") as caught:
        load(kept.store)
    assert caught.value.where == str(kept.path)
    with pytest.raises(RecordingError) as caught:
        write(kept.store, recording(2))
    assert str(caught.value) == (
        f"the cassette cannot be written: File exists\n  where: {kept.path}\n{UNTOUCHED}"
    )


def test_a_cassette_that_is_a_link(kept, tmp_path):
    """The link stays; its target is replaced as a whole."""
    target = tmp_path / "shared.yaml"
    kept.path.rename(target)
    kept.path.symlink_to(target)
    assert write(kept.store, recording(2)) is Written.REPLACED
    assert kept.path.is_symlink()
    assert images_in(load(kept.store)) == 2
    assert kept.debris() == []
    assert not list(tmp_path.glob("*.tmp"))
