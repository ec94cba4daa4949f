"""A folder of cassettes: nothing is lost, whatever ends a write."""

import pytest

from pytest_imagedetail.cassette import Store, Written, loads
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


def files(folder):
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".imagedetail.lock"
    )


def test_a_recording_is_written_and_found(tmp_path):
    """A new cassette stands under its cloud and query, loads as written, and nothing else does."""
    kept = Store(directory=tmp_path)
    assert kept.find("k5", Query()) is None
    assert kept.write(recording(), known=Known()) is Written.NEW
    assert kept.find("k5", Query()) == kept.path("k5", Query()) == tmp_path / "k5" / "all.yaml"
    assert kept.load("k5", Query()).provenance == recording().provenance
    assert files(tmp_path) == ["k5/all.yaml"]
    assert [each.value for each in Written] == ["new", "replaced", "renewed", "unchanged"]


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


def test_the_same_answer_renews_a_date_that_is_too_old(tmp_path):
    """One that would be refused for its age has the new date and its hash, and no other change."""
    own = {"test": "test_own.py::test_a"}
    for number, (max_age, when, written, facts) in enumerate(
        (
            (None, "2034-01-02T00:00:00Z", Written.UNCHANGED, {}),
            (0, "2024-01-02T00:00:00Z", Written.RENEWED, {}),
            (90, "2024-03-31T00:00:00Z", Written.UNCHANGED, own),
            (90, "2024-04-01T00:00:00Z", Written.RENEWED, own),
            (90, None, Written.UNCHANGED, {}),
        )
    ):
        kept = Store(directory=tmp_path / str(number), max_age=max_age)
        kept.write(recording(recorded_at="2024-01-01T00:00:00Z", **facts), known=Known())
        (path,) = kept.directory.rglob("*.yaml")
        before = path.read_text().splitlines()
        new = recording(recorded_at=when, plugin="2.0", **facts)
        assert kept.write(new, known=Known()) is written
        after = path.read_text().splitlines()
        changed = [line.strip() for line in after if line not in before]
        if written is Written.RENEWED:
            assert changed.pop(0) == f"recorded_at: '{when}'"
        assert len(before) == len(after)
        assert [each[:8] for each in changed] == ["sha256: "] * (written is Written.RENEWED)
        assert loads(path).provenance.plugin == "1.0"


def test_what_lies_under_another_name_is_not_written_over(tmp_path):
    """It is what was recorded of another cloud, and perhaps the only copy of that."""
    kept = Store(directory=tmp_path)
    kept.write(recording(cloud="other"), known=Known())
    (tmp_path / "other").rename(tmp_path / "k5")
    before = kept.path("k5", Query()).read_bytes()
    with pytest.raises(DamagedCassetteError) as caught:
        kept.write(recording(2), known=Known())
    assert str(caught.value) == (
        "the recording is of cloud 'other', query 'all', but its file has another name\n"
        f"  where: {tmp_path}/k5/all.yaml\n"
        "  next:  move it to other/all.yaml, or delete it and record this cloud and query afresh"
    )
    assert kept.path("k5", Query()).read_bytes() == before


def test_not_found_says_what_there_is(tmp_path):
    """The way to record it, and what is recorded of this cloud or of which clouds."""
    kept = Store(directory=tmp_path)
    kept.write(recording(), known=Known())
    kept.write(recording(query="limit=3"), known=Known())
    with pytest.raises(CassetteNotFoundError) as caught:
        kept.load("k5", Query.of(limit=4))
    assert str(caught.value) == (
        "nothing is recorded for cloud 'k5', query 'limit=4'\n"
        f"  where: {tmp_path}/k5/limit=4.yaml\n"
        "  next:  in a test:  pytest --imagedetail-record-mode=once\n"
        "  next:  in a shell: imagedetail record k5 --query=limit=4\n"
        "  next:  or ask what is recorded: limit=3, all; imagedetail ls k5 lists all"
    )
    with pytest.raises(CassetteNotFoundError) as caught:
        kept.load("k6", Query())
    assert caught.value.remedy.endswith("\nin a shell: imagedetail record k6")


def test_reads_fall_back_to_the_library_and_writes_do_not(tmp_path):
    """The library is read when the folder has nothing, and is never written."""
    library = Store(directory=tmp_path / "library")
    library.write(recording(), known=Known())
    kept = Store(directory=tmp_path / "own", library=tmp_path / "library")
    assert kept.clouds() == ()
    assert kept.library_clouds() == ("k5",)
    assert kept.load("k5", Query()) == library.load("k5", Query())
    with pytest.raises(CassetteNotFoundError, match="shipped recording, to which nothing can be"):
        kept.load("k5", Query.of(limit=3))
    assert kept.write(recording(2), known=Known()) is Written.NEW
    assert kept.paths("k5") == (tmp_path / "own" / "k5" / "all.yaml",)
    assert library.load("k5", Query()) != kept.load("k5", Query())
    with pytest.raises(CassetteNotFoundError, match="imagedetail record k5 --query=limit=3"):
        kept.load("k5", Query.of(limit=3))


def test_a_leak_is_refused_and_the_old_file_untouched(tmp_path):
    """Also in what is added to and in what YAML folds and escapes; the message does not show it."""
    kept, known = Store(directory=tmp_path), Known(secrets=frozenset({"hunter2's pass"}))
    kept.write(recording(), known=Known())
    before = kept.path("k5", Query()).read_bytes()
    for body in (
        b"\xff" * 50 + b"hunter2's pass" + b"\xff" * 50,
        b"it's\r\nhunter2's pass\xc2\x85",
        b"\x07\"hunter2's pass\\",
        b"# hunter2's pass",
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
    for cloud in ("..", "../k5", "/etc"):
        with pytest.raises(UsageError):
            kept.write(recording(cloud=cloud), known=Known())
        with pytest.raises(UsageError):
            kept.load(cloud, Query())
    assert files(tmp_path) == ["k5/all.yaml"]
